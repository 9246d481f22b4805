import type { RouterContext } from '@koa/router'
import { z } from 'zod'
import { OWN } from '../dialects/all.ts'
import { ErrorAnswer, ModelAnswer, ModelQuery, Url, UrlForm } from '../dialects/schemas.ts'
import type { RequestState } from '../http/context.ts'
import { HttpError } from '../http/errors.ts'
import { NoQuery, type Operation, serve } from '../http/operation.ts'
import type { ImagePlaces } from '../image/request-image.ts'
import type { Classification } from '../models/classifier.ts'
import { labelled, mustBeLabelled } from '../models/guess.ts'
import type { Brokers } from '../models/model-state.ts'
import type { PredictOptions, Watcher } from '../models/predictor.ts'
import { modelPages } from '../pages/model-pages.ts'
import { sendPage } from '../pages/send-page.ts'
import type { RouteParts } from '../service.ts'
import { streamStates } from './stream-states.ts'

type Ctx = RouterContext<RequestState>

const STATES = 'application/x-ndjson'
const GROUP = 'Models'

/** `/vgg` and `/<model>`: a page to try the model on, and an image or its address posted to the same path. */
export function modelRoutes(parts: RouteParts, brokers: Brokers): void {
  const { classifier, models } = parts
  const isServedItself = classifier.models.includes('vgg')
  if (!isServedItself) register(parts, brokers, ['/vgg'], models.vgg)
  for (const model of classifier.models) register(parts, brokers, [`/${model}`], model)
}

function register(parts: RouteParts, brokers: Brokers, paths: readonly string[], model: string): void {
  const pages = modelPages(parts, brokers)
  serve(parts, page(paths, model), async (ctx) => {
    // A model that was loading is ready by the time somebody comes back.
    ctx.set('Cache-Control', 'no-cache')
    await sendPage(ctx, pages.empty(ctx, model))
  })
  serve(parts, prediction(paths, model), async (ctx, query) => {
    const form = ctx.accepts('json', 'html', 'text/plain', STATES)
    if (form === false) throw notAcceptable()
    const chosen = query.model ?? model
    mustBeServed(parts, chosen)
    if (form === STATES) return streamStates(ctx, (watcher) => answer(parts, ctx, chosen, query, watcher))
    if (form === 'html') {
      const watcher = pages.watch(ctx, chosen)
      const predicted = await predict(parts, ctx, chosen, query, { watcher, show: 'all' })
      await sendPage(ctx, pages.withResult(ctx, chosen, predicted, asJson(predicted.answer)))
      return
    }
    const { answer: its } = await predict(parts, ctx, chosen, query)
    if (form === 'json') ctx.body = asJson(its)
    if (form !== 'text/plain') return
    ctx.type = 'text/plain'
    ctx.body = mustBeLabelled(chosen, its.value)[0]?.full ?? ''
  })
}

/** What a page is told in the end; an image from another site is shown from here. */
async function answer(parts: RouteParts, ctx: Ctx, model: string, query: ModelQuery, watcher: Watcher) {
  const { answer, sent, stored } = await predict(parts, ctx, model, query, { watcher, show: 'from-address' })
  return { ...asJson(answer), ...(sent.url !== '' && stored && { image: `/uploads/${stored.file}` }) }
}

function predict(
  parts: RouteParts,
  ctx: Ctx,
  model: string,
  query: ModelQuery,
  options: PredictOptions = {},
) {
  return parts.predictor.predict(ctx, model, places(parts, model), { top: query.top }, options)
}

/** Before anything is read or shown: a page of a model that nobody serves would wait for it. */
function mustBeServed({ classifier }: RouteParts, model: string): void {
  if (classifier.models.includes(model)) return
  throw new HttpError('ERR_MODEL_UNKNOWN', `No model called "${model}" is served.`)
}

function places({ config }: RouteParts, model: string): ImagePlaces {
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
  const answer = Array.isArray(value) ? { predictions: labelled(value) ?? value } : { prediction: value }
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

function page(paths: readonly string[], model: string) {
  return {
    method: 'get',
    paths,
    group: GROUP,
    summary: `Page to try ${model} on`,
    query: NoQuery,
    answers: { 200: { means: 'The page.', content: { 'text/html': 'A page with a form.' } } },
    errors: [],
    dialect: OWN,
  } as const satisfies Operation
}

function prediction(paths: readonly string[], model: string) {
  return {
    method: 'post',
    paths,
    group: GROUP,
    summary: `What ${model} sees on an image`,
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
    dialect: { ...OWN, error: ErrorAnswer },
    example: `curl --data-binary @photo.jpg $URL${paths[0]}`,
  } as const satisfies Operation
}
