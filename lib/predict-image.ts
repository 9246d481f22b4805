import type { Classification, Classifier } from './classifier.ts'
import type { Wanted } from './guesses.ts'
import type { ImagePlaces, Images, SentImage } from './images.ts'
import { labelled } from './labelled.ts'
import type { RecentImage, RecentImages } from './recent-images.ts'
import type { RecentPredictions } from './recent-predictions.ts'
import type { Context } from './state.ts'

export interface PredictorParts {
  readonly classifier: Classifier
  readonly images: Images
  readonly recentImages: RecentImages
  readonly recentPredictions: RecentPredictions
  /** whether reported images are kept, so that they must be at hand for a while */
  readonly keepsImages: boolean
}

export interface Watcher {
  /** the image has to be fetched from its address first */
  downloading(url: string): void
  /** its place in the queue; 0 once the model has it */
  position(position: number): void
}

export interface PredictedImage {
  readonly sent: SentImage
  readonly answer: Classification
  /** where a page can show it again; none where it is not kept */
  readonly stored: RecentImage | undefined
}

export interface Predictor {
  /** The one image of a request and what a model says to it; under the request's id it can be reported as wrong. */
  predict(
    ctx: Context,
    model: string,
    places: ImagePlaces,
    wanted: Wanted,
    watcher?: Watcher,
  ): Promise<PredictedImage>
  /** The same for an image that has been read already. */
  predictBytes(
    ctx: Context,
    model: string,
    sent: SentImage,
    wanted: Wanted,
    show?: 'show',
  ): Promise<PredictedImage>
}

export function createPredictor(parts: PredictorParts): Predictor {
  const { classifier, images, recentImages, recentPredictions, keepsImages } = parts

  async function classify(
    ctx: Context,
    model: string,
    sent: SentImage,
    wanted: Wanted,
    isShown: boolean,
    watcher?: Watcher,
  ): Promise<PredictedImage> {
    const onPosition = watcher && ((position: number) => watcher.position(position))
    const answer = await classifier.classify(model, sent.bytes, wanted, {
      signal: ctx.state.gone,
      onPosition,
    })
    const stored = isShown || keepsImages ? await recentImages.put(sent.bytes, answer.sha256) : undefined
    const { version, sha256, value } = answer
    const best = labelled(value)?.[0]
    if (best) {
      const guess = { prediction: best.name, score: best.probability }
      recentPredictions.remember(ctx.state.requestId, { sha256, model, version, ...guess })
    }
    return { sent, answer, stored }
  }

  return {
    async predict(ctx, model, places, wanted, watcher) {
      const sent = await images.one(ctx, places, watcher && ((url) => watcher.downloading(url)))
      // Who watches an address being fetched is a page, which may show nothing that comes from another site.
      const isShown = ctx.accepts('json', 'html') === 'html' || (watcher !== undefined && sent.url !== '')
      return classify(ctx, model, sent, wanted, isShown, watcher)
    },
    predictBytes: (ctx, model, sent, wanted, show) => classify(ctx, model, sent, wanted, show !== undefined),
  }
}
