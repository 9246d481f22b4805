import type { RouterContext } from '@koa/router'
import { z } from 'zod'
import type { RequestState } from '../http/context.ts'
import { type Dialect, OWN_ERROR } from '../http/dialect.ts'
import { HttpError } from '../http/errors.ts'
import { NoQuery, type Operation, serve } from '../http/operation.ts'
import type { ImagePlaces } from '../image/request-image.ts'
import type { Classification } from '../models/classifier.ts'
import { Guess, mustHaveGuesses, Timing } from '../models/guess.ts'
import { ModelQuery } from '../models/model-query.ts'
import type { PredictOptions, Watcher } from '../models/predictor.ts'
import { modelPages } from '../pages/model-pages.ts'
import { sendPage } from '../pages/send-page.ts'
import type { Service } from '../service.ts'
import { streamStates } from './stream-states.ts'

type Ctx = RouterContext<RequestState>

const STATES = 'application/x-ndjson'
const GROUP = 'Models'

const Url = z.string().describe('http or https address of an image, or a data URI with one.')
const UrlForm = z.object({ url: Url })

const ModelAnswer = z.union([
  z.object({ model: z.string(), predictions: z.array(Guess), timing: Timing }),
  z
    .object({ model: z.string(), predictions: z.array(z.unknown()), timing: Timing })
    .describe('From a pipeline of your own that answers with a list.'),
  z
    .object({ model: z.string(), prediction: z.unknown(), timing: Timing })
    .describe('From a pipeline of your own that answers with anything else.'),
])

/** What tornado-compute spoke: VGG-16 in a process beside the web server. Tandem speaks so for every model. */
export const tornadoCompute: Dialect<Service> = {
  name: 'tornado-compute',
  paths: ['/vgg'],
  error: OWN_ERROR,
  setting: 'vggModel',
  originalModel: 'vgg16',
  subject: 'photograph',
  example: {
    says: 'A picture as it is, in a form, or its address; guesses with their timing. Tandem itself speaks so for every model.',
    command: 'curl --data-binary @photo.jpg $URL/vgg',
    answer: '{"model":…,"predictions":[{"label":"tabby","probability":0.53,…},…],"timing":{"total":71,…}}',
  },
  routes(service) {
    // A model of that name is served under it as any other.
    if (service.brokers.has('vgg')) return
    const model = () => service.dialectModels.mustHave(tornadoCompute)
    const atStart = service.dialectModels.of(tornadoCompute) ?? 'the model for photographs'
    serveModel(service, '/vgg', { name: atStart, model, pageErrors: [503] })
  },
}

/** `/<model>`: a page to try the model on, and an image or its address posted to the same path. */
export function modelRoutes(service: Service): void {
  for (const model of service.brokers.keys()) {
    serveModel(service, `/${model}`, { name: model, model: () => model, pageErrors: [] })
  }
}

interface ServedModel {
  /** for its description */
  readonly name: string
  /** the model that answers now; throws where there is none */
  model(): string
  /** what the page can fail with */
  readonly pageErrors: readonly number[]
}

function serveModel(service: Service, path: string, served: ServedModel): void {
  const pages = modelPages(service)
  serve(service, page(path, served), async (ctx) => {
    const text = pages.empty(ctx, served.model())
    // A model that was loading is ready by the time the user comes back.
    ctx.set('Cache-Control', 'no-cache')
    await sendPage(ctx, text)
  })
  serve(service, prediction(path, served), async (ctx, query) => {
    const form = ctx.accepts('json', 'html', 'text/plain', STATES)
    if (form === false) throw notAcceptable()
    const chosen = query.model ?? served.model()
    // Before anything is read or shown: a page of a model that is not served would wait for it.
    service.classifier.mustServe(chosen)
    if (form === STATES) return streamStates(ctx, (watcher) => answer(service, ctx, chosen, query, watcher))
    if (form === 'html') {
      const watcher = pages.watch(ctx, chosen)
      const predicted = await predict(service, ctx, chosen, query, { watcher, show: 'all' })
      await sendPage(ctx, pages.withResult(ctx, chosen, predicted, asJson(predicted.answer)))
      return
    }
    const { answer: classification } = await predict(service, ctx, chosen, query)
    if (form === 'json') ctx.body = asJson(classification)
    if (form !== 'text/plain') return
    ctx.type = 'text/plain'
    ctx.body = mustHaveGuesses(classification)[0]?.full ?? ''
  })
}

/** What a page is told in the end; an image from another site is shown from here. */
async function answer(service: Service, ctx: Ctx, model: string, query: ModelQuery, watcher: Watcher) {
  const { answer, sent, stored } = await predict(service, ctx, model, query, {
    watcher,
    show: 'from-address',
  })
  return { ...asJson(answer), ...(sent.url !== '' && stored && { image: `/uploads/${stored.file}` }) }
}

function predict(service: Service, ctx: Ctx, model: string, query: ModelQuery, options: PredictOptions = {}) {
  return service.predictor.predict(ctx, model, places(service, model), { top: query.top }, options)
}

function places({ config }: Service, model: string): ImagePlaces {
  const isOwn = config.pipeline !== ''
  return {
    files: ['image', 'file'],
    url: true,
    missing: `POST /${model} needs an image: as the body, as the file "image" of a form, or its address as "url".`,
    ...(isOwn && { json: 'raw' }),
  }
}

/** A list of guesses is `predictions`; any other answer is one `prediction`. */
function asJson({ model, value, timing }: Classification) {
  const answer = Array.isArray(value) ? { predictions: value } : { prediction: value }
  const { queue, prepare, predict, total, cached, shared } = timing
  const ms = { queue: round(queue), prepare: round(prepare), predict: round(predict), total: round(total) }
  return { model, ...answer, timing: { ...ms, ...(cached && { cached }), ...(shared && { shared }) } }
}

/** Microseconds are more than the clock is good for. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000
}

function notAcceptable(): HttpError {
  return new HttpError(
    'ERR_NOT_ACCEPTABLE',
    `The answer comes as application/json, text/html, text/plain or ${STATES}, none of which "Accept" admits.`,
  )
}

function page(path: string, { name, pageErrors }: ServedModel) {
  return {
    method: 'get',
    paths: [path],
    group: GROUP,
    summary: `Page to try ${name} on`,
    query: NoQuery,
    answers: { 200: { means: 'The page.', content: { 'text/html': 'A page with a form.' } } },
    errors: pageErrors,
    errorShape: OWN_ERROR,
  } as const satisfies Operation
}

function prediction(path: string, { name }: ServedModel) {
  return {
    method: 'post',
    paths: [path],
    group: GROUP,
    summary: `What ${name} sees on an image`,
    query: ModelQuery.extend({ url: Url.optional() }),
    body: {
      'image/*': 'The image itself; its type is told by its first bytes.',
      'multipart/form-data': z.object({
        image: z.string().meta({ format: 'binary' }).optional(),
        file: z.string().meta({ format: 'binary' }).optional(),
        url: Url.optional(),
      }),
      'application/x-www-form-urlencoded': UrlForm,
      'application/json': UrlForm,
    },
    answers: {
      200: {
        means: 'The best guesses; with text/plain the first one alone, all synonyms.',
        content: {
          'application/json': ModelAnswer,
          'text/html': 'The page with the guesses on it.',
          'text/plain': 'The label of the best guess.',
          [STATES]:
            'A line of JSON for each state: downloading, queued (with its position), predicting, done or failed.',
        },
      },
    },
    errors: [400, 404, 406, 408, 413, 415, 422, 502, 503, 504],
    errorShape: OWN_ERROR,
    example: `curl --data-binary @photo.jpg $URL${path}`,
  } as const satisfies Operation
}
