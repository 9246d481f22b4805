import type { Context } from '../http/context.ts'
import type { RecentImage, RecentImages } from '../image/recent-images.ts'
import type { ImagePlaces, RequestImages, SentImage } from '../image/request-image.ts'
import type { Classification, Classifier } from './classifier.ts'
import type { RecentPredictions } from './recent-predictions.ts'
import type { WantedGuesses } from './wanted-guesses.ts'

export interface PredictorParts {
  readonly classifier: Classifier
  readonly images: RequestImages
  /** what pages and reports need for a while; undefined for an API without pages and reports */
  readonly memory?: PredictorMemory
}

export interface PredictorMemory {
  readonly recentImages: RecentImages
  readonly recentPredictions: RecentPredictions
  /** whether reported images are stored; if so, every image is kept for a while, because a report may follow */
  readonly keepsImages: boolean
}

export interface Watcher {
  /** called before the image is downloaded from its address */
  downloading(url: string): void
  /** called with the position in the queue, and with 0 once the model has the image */
  position(position: number): void
}

export interface PredictedImage {
  readonly sent: SentImage
  readonly answer: Classification
  /** the kept image, for a page to show; undefined if the image is not kept */
  readonly stored: RecentImage | undefined
  /** the id under which the answer can be reported as wrong */
  readonly reportId: string
}

/** Which images are kept for a while, for a page to show: none, those from an address, or all. */
export type Shown = 'none' | 'from-address' | 'all'

export interface PredictOptions {
  readonly show?: Shown
  readonly watcher?: Watcher
}

export interface Predictor {
  /** Reads the one image of a request and predicts it. The answer can be reported as wrong under the request's id. */
  predict(
    ctx: Context,
    model: string,
    places: ImagePlaces,
    wanted: WantedGuesses,
    options?: PredictOptions,
  ): Promise<PredictedImage>
  /** Predicts an image that has already been read. */
  predictBytes(
    ctx: Context,
    model: string,
    sent: SentImage,
    wanted: WantedGuesses,
    options?: PredictOptions,
  ): Promise<PredictedImage>
}

const VERSION_HEADER = 'X-Model-Version'
/** Set only if the id is another one than X-Request-Id. */
const REPORT_HEADER = 'X-Report-Id'

export function createPredictor(parts: PredictorParts): Predictor {
  const { classifier, images, memory } = parts

  const predictBytes: Predictor['predictBytes'] = async (ctx, model, sent, wanted, options = {}) => {
    const { show = 'none', watcher } = options
    const onPosition = watcher && ((position: number) => watcher.position(position))
    const waiting = { signal: ctx.state.gone, onPosition }
    const answer = await classifier.classify(model, sent.bytes, wanted, waiting)
    const isShown = show === 'all' || (show === 'from-address' && sent.url !== '')
    const isKept = isShown || memory?.keepsImages === true
    const stored = isKept ? await memory?.recentImages.put(sent.bytes, answer.sha256) : undefined
    const { version, sha256 } = answer
    tellVersion(ctx, version)
    const best = answer.guesses?.[0]
    const { requestId } = ctx.state
    let reportId = requestId
    if (best && memory) {
      const guess = { prediction: best.name, score: best.probability }
      reportId = memory.recentPredictions.remember(requestId, { sha256, model, version, ...guess })
      const isNew = reportId !== requestId && ctx.res.getHeader(REPORT_HEADER) === undefined
      if (isNew && !ctx.headerSent) ctx.set(REPORT_HEADER, reportId)
    }
    return { sent, answer, stored: isShown ? stored : undefined, reportId }
  }

  return {
    predictBytes,
    async predict(ctx, model, places, wanted, options = {}) {
      const { watcher } = options
      const sent = await images.one(ctx, places, watcher && ((url) => watcher.downloading(url)))
      return predictBytes(ctx, model, sent, wanted, options)
    },
  }
}

/** While hosts are being updated, the images of one request may be computed by several versions. */
function tellVersion(ctx: Context, version: string): void {
  // The version of a user's own pipeline may be any text. A stream of states has sent its headers before.
  if (!/^[\w.:+-]{1,100}$/.test(version) || ctx.headerSent) return
  const told = ctx.res.getHeader(VERSION_HEADER)
  const versions = new Set(typeof told === 'string' ? [...told.split(', '), version] : [version])
  ctx.set(VERSION_HEADER, [...versions].join(', '))
}
