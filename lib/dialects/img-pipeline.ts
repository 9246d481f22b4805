import { setMaxListeners } from 'node:events'
import { z } from 'zod'
import type { Dialect, ErrorShape } from '../http/dialect.ts'
import { describeError, HttpError } from '../http/errors.ts'
import { type Operation, parseWith, serve } from '../http/operation.ts'
import { mustHaveGuesses } from '../models/guess.ts'
import { ModelQuery } from '../models/model-query.ts'
import { ALL_GUESSES } from '../models/wanted-guesses.ts'
import type { Service } from '../service.ts'

/** The limit of image-url.ts: a longer text is a data URI, or is answered with "Invalid URL". */
const MAX_ECHO = 2048

const Query = ModelQuery.extend({
  // z.coerce reads an empty text as 0, so at least one digit is required.
  threshold: z
    .string()
    .regex(/\d/)
    .pipe(z.coerce.number<string>().min(0).max(1))
    .optional()
    .describe('The answer has only classes with a higher confidence.'),
})
const Request = z.object({ images: z.array(z.unknown()).describe('The addresses of the images.') })
const Answer = z.object({
  results: z.array(
    z.union([
      z.object({
        url: z.string(),
        classes: z.array(z.object({ class: z.string(), confidence: z.number() })),
      }),
      z.object({ url: z.unknown(), Error: z.literal('Invalid URL') }),
    ]),
  ),
})

const error: ErrorShape = {
  schema: z.object({ Error: z.string(), code: z.string() }),
  body: ({ code, message }) => ({ Error: message, code }),
}

const inference = {
  method: 'post',
  paths: ['/api/infer'],
  group: 'Image pipeline',
  summary: 'Classifies many images by their addresses',
  query: Query,
  body: { 'application/json': Request },
  answers: {
    200: {
      means: 'One result per address, in the order of the addresses; also if no address leads to an image.',
      content: { 'application/json': Answer },
    },
  },
  errors: [400, 404, 408, 413, 415, 503, 504],
  errorShape: error,
  example: `curl -d '{"images":["https://example.com/panda.jpg"]}' $URL/api/infer`,
} as const satisfies Operation

/** The dialect of img_pipeline, which served Inception v3 behind Celery and RabbitMQ. */
export const imgPipeline: Dialect<Service> = {
  name: 'img_pipeline',
  paths: ['/api/infer'],
  error,
  setting: 'inferModel',
  originalModel: 'inception_v3',
  subject: 'photograph',
  example: {
    says: 'Send many addresses at once; the answer has the classes that the model is sure of.',
    command: `curl -d '{"images":["https://example.com/panda.jpg"]}' $URL/api/infer`,
    answer: '{"results":[{"url":…,"classes":[{"class":"giant panda","confidence":0.89}]}]}',
  },
  routes,
}

/** The parameters for each image of a request. */
interface Inference {
  readonly model: string
  readonly threshold: number
  readonly top: number
}

function routes(service: Service): void {
  const { config, images, dialectModels } = service
  serve(service, inference, async (ctx, query) => {
    const {
      model = dialectModels.mustHave(imgPipeline),
      top = ALL_GUESSES,
      threshold = config.inferThreshold,
    } = query
    const body = await images.body(ctx, 'json')
    const request = parseWith(Request, body.kind === 'json' ? body.value : undefined, 'body')
    const { inferMaxImages } = config
    if (request.images.length > inferMaxImages) {
      const sentence = `A request must have at most ${inferMaxImages} images, but this one has ${request.images.length}.`
      throw new HttpError('ERR_TOO_MANY_IMAGES', sentence)
    }
    // An error that concerns all images (a full queue, a model that is not ready) aborts the whole request.
    const failed = new AbortController()
    const signal = AbortSignal.any([ctx.state.gone, failed.signal])
    // Every download and prediction listens to this signal; Node would warn of a leak above ten listeners.
    setMaxListeners(0, signal)
    const inference = { model, threshold, top }
    const results = request.images.map((url) => result(service, url, inference, signal))
    try {
      ctx.body = { results: await Promise.all(results) }
    } catch (error) {
      failed.abort(error)
      throw error
    }
  })
}

async function result(service: Service, url: unknown, inference: Inference, signal: AbortSignal) {
  const { classifier, images } = service
  const { model, threshold, top } = inference
  try {
    if (typeof url !== 'string')
      throw new HttpError('ERR_URL_INVALID', 'The address of an image must be a text.')
    const bytes = await images.fetch(url, signal)
    const answer = await classifier.classify(model, bytes, { top, above: threshold }, { signal })
    const classes = mustHaveGuesses(answer)
      .filter(({ probability }) => probability > threshold)
      .map(({ label, probability }) => ({ class: label, confidence: probability }))
    return { url: echo(url), classes }
  } catch (error) {
    if (!isImageError(error)) throw error
    return { url: echo(url), Error: 'Invalid URL' }
  }
}

/** The address as the client sent it, but shortened: a request of 20 MB must not make an answer of 20 MB. */
function echo(url: unknown): unknown {
  // A deeply nested value can be parsed, but serializing it again would overflow the stack.
  if (typeof url === 'object') return null
  return typeof url === 'string' && url.length > MAX_ECHO ? `${url.slice(0, MAX_ECHO)}…` : url
}

/** Errors of an address or of its image: the original had one sentence for all of them. */
function isImageError(error: unknown): boolean {
  const { code } = describeError(error)
  return /^ERR_(URL|IMAGE)_/.test(code) || code === 'ERR_BODY_TOO_LARGE' || code === 'ERR_CHILD_EXIT'
}
