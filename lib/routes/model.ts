import type { RouterContext } from '@koa/router'
import { z } from 'zod'
import type { Api } from '../api.ts'
import type { RequestState } from '../http/context.ts'
import { type Dialect, OWN_ERROR } from '../http/dialect.ts'
import { HttpError } from '../http/errors.ts'
import { NoQuery, type Operation, serve } from '../http/operation.ts'
import type { ImagePlaces } from '../image/request-image.ts'
import type { Classification } from '../models/classifier.ts'
import { featuresIn, jsonNumbers } from '../models/features.ts'
import { mustHaveGuesses } from '../models/guess.ts'
import { ModelAnswer } from '../models/model-answer.ts'
import { ModelQuery } from '../models/model-query.ts'
import type { PredictOptions, Watcher } from '../models/predictor.ts'
import { roundedTiming } from '../models/timing.ts'
import { type ModelPages, modelPages } from '../pages/model-pages.ts'
import { sendPage } from '../pages/send-page.ts'
import type { Service } from '../service.ts'
import { streamStates } from './stream-states.ts'

type Ctx = RouterContext<RequestState>

const STATES = 'application/x-ndjson'
const GROUP = 'Models'

const Url = z.string().describe('The http or https address of an image, or a data URI with an image.')
const UrlForm = z.object({ url: Url })

/** The dialect of tornado-compute, which served VGG-16 from a process beside the web server. Every model speaks it. */
export const tornadoCompute: Dialect<Service> = {
  name: 'tornado-compute',
  paths: ['/vgg'],
  error: OWN_ERROR,
  setting: 'vggModel',
  originalModel: 'vgg16',
  subject: 'photograph',
  example: {
    says: 'Send a picture as the body or in a form, or send its address; the answer has guesses and timing. Each model does this at /<model>.',
    command: 'curl --data-binary @photo.jpg $URL/vgg',
    answer: '{"model":…,"predictions":[{"label":"tabby","probability":0.53,…},…],"timing":{"total":71,…}}',
  },
  routes(service) {
    const model = () => service.dialectModels.mustHave(tornadoCompute)
    const atStart = service.dialectModels.of(tornadoCompute) ?? 'the model for photographs'
    servePages(service, '/vgg', { name: atStart, model, pageErrors: [503] })
  },
}

/** `/<model>`: a page to try the model on, and an image or its address posted to the same path. */
export function modelRoutes(service: Service): void {
  for (const model of service.brokers.keys()) {
    servePages(service, `/${model}`, { name: model, model: () => model, pageErrors: [] })
  }
}

/** `/<model>` without pages. */
export function modelApiRoutes(api: Api): void {
  for (const model of api.brokers.keys()) serveModel(api, `/${model}`, { name: model, model: () => model })
}

interface ServedModel {
  /** the model's name for the API description */
  readonly name: string
  /** the model that answers now; throws if no served model fits */
  model(): string
}

interface ServedPage extends ServedModel {
  /** the statuses of errors that the page can answer with */
  readonly pageErrors: readonly number[]
}

function servePages(service: Service, path: string, served: ServedPage): void {
  const pages = modelPages(service)
  serve(service, page(path, served), async (ctx) => {
    const text = pages.empty(ctx, served.model())
    // A cached page would still show a model as loading that is ready by now.
    ctx.set('Cache-Control', 'no-cache')
    await sendPage(ctx, text)
  })
  serveModel(service, path, served, pages)
}

function serveModel(api: Api, path: string, served: ServedModel, pages?: ModelPages): void {
  const types = pages ? (['html', 'text/plain', STATES] as const) : (['text/plain', STATES] as const)
  serve(api, prediction(path, served, pages !== undefined), async (ctx, query) => {
    const form = ctx.accepts('json', ...types)
    if (form === false) throw notAcceptable(pages !== undefined)
    const chosen = query.model ?? served.model()
    // Checked first: a page for a model that is not served would wait for that model without end.
    api.classifier.mustServe(chosen)
    if (form === STATES) return streamStates(ctx, (watcher) => answer(api, ctx, chosen, query, watcher))
    if (form === 'html' && pages) {
      const watcher = pages.watch(ctx, chosen)
      const predicted = await predict(api, ctx, chosen, query, { watcher, show: 'all' })
      await sendPage(ctx, pages.withResult(ctx, chosen, predicted, asJson(api, predicted.answer)))
      return
    }
    const { answer: classification } = await predict(api, ctx, chosen, query)
    if (form === 'json') ctx.body = asJson(api, classification)
    if (form !== 'text/plain') return
    ctx.type = 'text/plain'
    ctx.body = mustHaveGuesses(classification)[0]?.full ?? ''
  })
}

/** The last state for a page. An image that came by its address is shown from /uploads. */
async function answer(api: Api, ctx: Ctx, model: string, query: ModelQuery, watcher: Watcher) {
  const { answer, sent, stored, reportId } = await predict(api, ctx, model, query, {
    watcher,
    show: 'from-address',
  })
  return {
    id: reportId,
    ...asJson(api, answer),
    ...(sent.url !== '' && stored && { image: `/uploads/${stored.file}` }),
  }
}

function predict(api: Api, ctx: Ctx, model: string, query: ModelQuery, options: PredictOptions = {}) {
  return api.predictor.predict(ctx, model, places(api, model), { top: query.top }, options)
}

function places({ config }: Api, model: string): ImagePlaces {
  const isOwn = config.pipeline !== ''
  return {
    files: ['image', 'file'],
    url: true,
    missing: `POST /${model} needs an image: as the body, as the file "image" of a form, or as an address in "url".`,
    ...(isOwn && { json: 'raw' }),
  }
}

/** A list becomes `predictions`; any other answer becomes `prediction`. */
function asJson({ config }: Api, { model, value, outputs, timing }: Classification) {
  const isOwn = config.pipeline !== ''
  return { model, ...answerIn(value, isOwn), ...(outputs && { outputs }), timing: roundedTiming(timing) }
}

/** What a pipeline of the user's own answers with is not looked into. */
function answerIn(value: unknown, isOwn: boolean) {
  if (Array.isArray(value)) return { predictions: value }
  const features = isOwn ? undefined : featuresIn(value)
  if (features) return { shape: features.shape, features: jsonNumbers(features) }
  return { prediction: value }
}

function notAcceptable(hasPage: boolean): HttpError {
  const types = ['application/json', ...(hasPage ? ['text/html'] : []), 'text/plain']
  return new HttpError(
    'ERR_NOT_ACCEPTABLE',
    `The answer can be ${types.join(', ')} or ${STATES}, but "Accept" allows none of these.`,
  )
}

function page(path: string, { name, pageErrors }: ServedPage) {
  return {
    method: 'get',
    paths: [path],
    group: GROUP,
    summary: `A page to try ${name}`,
    query: NoQuery,
    answers: { 200: { means: 'The page.', content: { 'text/html': 'A page with a form.' } } },
    errors: pageErrors,
    errorShape: OWN_ERROR,
  } as const satisfies Operation
}

function prediction(path: string, { name }: ServedModel, hasPage: boolean) {
  return {
    method: 'post',
    paths: [path],
    group: GROUP,
    summary: `Classifies an image with ${name}`,
    query: ModelQuery.extend({ url: Url.optional() }),
    body: {
      'image/*': 'The image itself. The first bytes tell the format.',
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
        means: 'The best guesses. As text/plain: only the best guess, with all synonyms.',
        content: {
          'application/json': ModelAnswer,
          ...(hasPage && { 'text/html': 'The page with the guesses on it.' }),
          'text/plain': 'All synonyms of the best guess.',
          [STATES]:
            'A line of JSON for each state: downloading, queued (with the position), predicting, done or failed.',
        },
      },
    },
    errors: [400, 404, 406, 408, 413, 415, 422, 502, 503, 504],
    errorShape: OWN_ERROR,
    example: `curl --data-binary @photo.jpg $URL${path}`,
  } as const satisfies Operation
}
