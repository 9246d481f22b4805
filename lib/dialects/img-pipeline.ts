import { setMaxListeners } from 'node:events'
import { describeError, HttpError } from '../http/errors.ts'
import { type Operation, parseWith, serve } from '../http/operation.ts'
import { mustBeLabelled } from '../models/guess.ts'
import { ALL_GUESSES } from '../models/wanted-guesses.ts'
import type { RouteParts } from '../service.ts'
import { INFER } from './all.ts'
import { InferAnswer, InferQuery, InferRequest } from './schemas.ts'

const inference = {
  method: 'post',
  paths: ['/api/infer'],
  group: 'Image pipeline',
  summary: 'The classes of many images, by their addresses',
  query: InferQuery,
  body: { 'application/json': InferRequest },
  answers: {
    200: {
      means: 'A result for each address, in their order; also when none of them leads to an image.',
      content: { 'application/json': InferAnswer },
    },
  },
  errors: [400, 404, 408, 413, 415, 503, 504],
  dialect: INFER,
  example: `curl -d '{"images":["https://example.com/panda.jpg"]}' $URL/api/infer`,
} as const satisfies Operation

interface Wanted {
  readonly model: string
  readonly threshold: number
  readonly top: number
}

/** What img_pipeline spoke: Inception v3 behind Celery and RabbitMQ. */
export function inferRoutes(parts: RouteParts): void {
  const { config, images, models } = parts
  serve(parts, inference, async (ctx, query) => {
    const { model = models.infer, top = ALL_GUESSES, threshold = config.inferThreshold } = query
    const body = await images.body(ctx, 'json')
    const request = parseWith(InferRequest, body.kind === 'json' ? body.value : undefined, 'body')
    const { inferMaxImages } = config
    if (request.images.length > inferMaxImages) {
      const sentence = `At most ${inferMaxImages} images come in one request, but these are ${request.images.length}.`
      throw new HttpError('ERR_TOO_MANY_IMAGES', sentence)
    }
    // One that fails for all (a full queue, a model that is not ready) ends the others with it.
    const failed = new AbortController()
    const signal = AbortSignal.any([ctx.state.gone, failed.signal])
    // Every download and every prediction of the request listens to it.
    setMaxListeners(0, signal)
    const wanted = { model, threshold, top }
    const results = request.images.map((url) => result(parts, url, wanted, signal))
    try {
      ctx.body = { results: await Promise.all(results) }
    } catch (error) {
      failed.abort(error)
      throw error
    }
  })
}

async function result(parts: RouteParts, url: unknown, wanted: Wanted, signal: AbortSignal) {
  const { classifier, images } = parts
  const { model, threshold, top } = wanted
  try {
    if (typeof url !== 'string')
      throw new HttpError('ERR_URL_INVALID', 'The address of an image must be a text.')
    const bytes = await images.fetch(url, signal)
    const { value } = await classifier.classify(model, bytes, { top, above: threshold }, { signal })
    const classes = mustBeLabelled(model, value)
      .filter(({ probability }) => probability > threshold)
      .map(({ label, probability }) => ({ class: label, confidence: probability }))
    return { url, classes }
  } catch (error) {
    if (!isOfTheImage(error)) throw error
    // What is nested without end can be read, but not be written again.
    return { url: typeof url === 'object' ? null : url, Error: 'Invalid URL' }
  }
}

/** The original knew one sentence for all that can be wrong with an address or what it leads to. */
function isOfTheImage(error: unknown): boolean {
  const { code } = describeError(error)
  return /^ERR_(URL|IMAGE)_/.test(code) || code === 'ERR_BODY_TOO_LARGE' || code === 'ERR_CHILD_EXIT'
}
