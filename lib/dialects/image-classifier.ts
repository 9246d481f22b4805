import { z } from 'zod'
import type { Context } from '../http/context.ts'
import { describeError, HttpError } from '../http/errors.ts'
import { NoQuery, type Operation, serve } from '../http/operation.ts'
import { ownAddress } from '../http/own-address.ts'
import { imageKind } from '../image/image-kind.ts'
import { fileIn } from '../image/request-image.ts'
import { mustBeLabelled } from '../models/guess.ts'
import { type Brokers, modelStates } from '../models/model-state.ts'
import { homePage } from '../pages/home-page.ts'
import { sendPage } from '../pages/send-page.ts'
import { uploadPage } from '../pages/upload-page.ts'
import type { RouteParts } from '../service.ts'
import { OWN, PREDICT } from './all.ts'
import { ModelQuery, PredictAnswer, VisionHello } from './schemas.ts'
import { HELLO } from './vision-service.ts'

const GROUP = 'Image classifier'
const FIELDS = ['file']
const FILE_FORM = { 'multipart/form-data': z.object({ file: z.string().meta({ format: 'binary' }) }) }
const PLACES = { files: FIELDS, url: false, missing: 'The form has no file "file".' } as const

/** What a form that cannot be used is told, once, on the page that it is sent back to. */
const NOTICES = {
  'no-part': 'No file part',
  'no-file': 'No image selected for uploading',
  'not-allowed': 'Allowed image types are -> png, jpg, jpeg, gif',
} as const
type Notice = keyof typeof NOTICES

const NOTICE_COOKIE = 'notice'
const NOTICE_MS = 60_000
const ALLOWED: readonly string[] = ['png', 'jpg', 'gif']

const home = {
  method: 'get',
  paths: ['/'],
  group: GROUP,
  summary: 'What is served here, with a form to upload an image',
  query: NoQuery,
  answers: {
    200: {
      means: 'The page; a greeting where "Accept" prefers JSON.',
      content: { 'text/html': 'A page.', 'application/json': VisionHello },
    },
  },
  errors: [],
  dialect: OWN,
} as const satisfies Operation

const upload = {
  method: 'post',
  paths: ['/'],
  group: GROUP,
  summary: 'A page with the uploaded image and its class',
  query: ModelQuery,
  body: FILE_FORM,
  answers: {
    200: { means: 'The page.', content: { 'text/html': 'A page.' } },
    302: { means: 'No file, an empty one, or one that is not allowed: back to the form, which says so.' },
  },
  errors: [400, 404, 408, 413, 415, 422, 502, 503, 504],
  dialect: OWN,
  example: 'curl -F file=@dog.jpg $URL/',
} as const satisfies Operation

const prediction = {
  method: 'post',
  paths: ['/predict'],
  group: GROUP,
  summary: 'The best guess for the file "file"',
  query: ModelQuery,
  body: { ...FILE_FORM, 'image/*': 'The image itself.' },
  answers: { 200: { means: 'Its name and score.', content: { 'application/json': PredictAnswer } } },
  errors: [400, 404, 408, 413, 502, 503, 504],
  dialect: PREDICT,
  example: 'curl -F file=@dog.jpg $URL/predict',
} as const satisfies Operation

const display = {
  method: 'get',
  paths: ['/display/:file'],
  group: GROUP,
  summary: 'Leads to an image that was uploaded to /',
  query: NoQuery,
  answers: { 302: { means: 'To where it is served.' } },
  errors: [404],
  dialect: OWN,
} as const satisfies Operation

const stored = {
  method: 'get',
  paths: ['/uploads/:file'],
  group: GROUP,
  summary: 'An image that was uploaded, for as long as it is kept',
  query: NoQuery,
  answers: { 200: { means: 'The image.', content: { 'image/*': 'Its bytes.' } } },
  errors: [404],
  dialect: OWN,
} as const satisfies Operation

/** What image_classifier spoke: ResNet50 behind a queue in Redis, with a form. */
export function classifyUploadRoutes(parts: RouteParts, brokers: Brokers): void {
  const { config, images, models, predictor, recentImages } = parts

  serve(parts, home, async (ctx) => {
    ctx.vary('Accept')
    if (ctx.accepts('html', 'json') === 'json') {
      ctx.body = HELLO
      return
    }
    ctx.set('Cache-Control', 'no-cache')
    const notice = takeNotice(ctx)
    const page = {
      models: modelStates(brokers),
      dialects: models,
      origin: ownAddress(ctx),
      notice,
      needsKey: config.apiKeys.length > 0,
    }
    await sendPage(ctx, homePage(page))
  })

  serve(parts, upload, async (ctx, { model = models.predict, top }) => {
    const start = performance.now()
    const file = await images.body(ctx, 'file').then((body) => fileIn(body, FIELDS), unreadable)
    const notice = noticeFor(file)
    if (file === undefined || notice !== undefined) return sendBack(ctx, notice ?? 'no-part')
    const sent = { bytes: file.bytes, url: '' }
    const { answer, stored } = await predictor.predictBytes(ctx, model, sent, { top }, { show: 'all' })
    const [best, ...others] = mustBeLabelled(model, answer.value)
    const page = {
      others:
        top === undefined ? [] : others.map(({ name, probability }) => ({ name, score: score(probability) })),
      image: stored && `/display/${stored.file}`,
      prediction: best?.name ?? '',
      score: score(best?.probability ?? 0),
      seconds: (performance.now() - start) / 1000,
      id: ctx.state.requestId,
      model,
    }
    await sendPage(ctx, uploadPage(page))
  })

  serve(parts, prediction, async (ctx, { model = models.predict, top }) => {
    const { answer } = await predictor.predict(ctx, model, PLACES, { top: top ?? 1 })
    const guesses = mustBeLabelled(model, answer.value).map(({ name, probability }) => ({
      prediction: name,
      score: score(probability),
    }))
    ctx.body = { ...guesses[0], success: true, ...(top !== undefined && { predictions: guesses }) }
  })

  serve(parts, display, (ctx) => {
    const image = recentImages.get(String(ctx.params.file))
    if (image === undefined) throw expired(config.uploadTtlMs)
    ctx.redirect(`/uploads/${image.file}`)
  })

  serve(parts, stored, (ctx) => {
    const image = recentImages.get(String(ctx.params.file))
    if (image === undefined) throw expired(config.uploadTtlMs)
    ctx.set('Cache-Control', `private, max-age=${Math.floor(config.uploadTtlMs / 1000)}, immutable`)
    ctx.body = Buffer.from(image.bytes.buffer, image.bytes.byteOffset, image.bytes.byteLength)
    ctx.type = image.type
  })
}

/** A form of which nothing can be read has no file, as for the original. */
function unreadable(error: unknown): undefined {
  if (describeError(error).code !== 'ERR_BAD_REQUEST') throw error
  return undefined
}

/** Four decimals, as a number. */
function score(probability: number): number {
  return Number(probability.toFixed(4))
}

function noticeFor(file: { name: string; bytes: Buffer } | undefined): Notice | undefined {
  if (file === undefined) return 'no-part'
  if (file.bytes.length === 0) return 'no-file'
  return ALLOWED.includes(imageKind(file.bytes)?.extension ?? '') ? undefined : 'not-allowed'
}

/** The cookie holds a word that stands for a notice, and never a text that could be shown. */
function sendBack(ctx: Context, notice: Notice): void {
  ctx.cookies.set(NOTICE_COOKIE, notice, { maxAge: NOTICE_MS, sameSite: 'lax', httpOnly: true })
  ctx.redirect('/')
}

function takeNotice(ctx: Context): string | undefined {
  const word = ctx.cookies.get(NOTICE_COOKIE)
  if (word === undefined) return undefined
  ctx.cookies.set(NOTICE_COOKIE, null)
  ctx.set('Cache-Control', 'no-store')
  return Object.hasOwn(NOTICES, word) ? NOTICES[word as Notice] : undefined
}

function expired(ttlMs: number): HttpError {
  const sentence = `There is no such upload; they are kept for ${Math.round(ttlMs / 1000)} s.`
  return new HttpError('ERR_NOT_FOUND', sentence)
}
