import { z } from 'zod'
import { type Dialect, type ErrorShape, OWN_ERROR } from '../http/dialect.ts'
import { describeError } from '../http/errors.ts'
import { NoQuery, type Operation, serve } from '../http/operation.ts'
import { ownAddress } from '../http/own-address.ts'
import { imageKind } from '../image/image-kind.ts'
import { noUpload, type RecentImage, type RecentImages } from '../image/recent-images.ts'
import { fileIn } from '../image/request-image.ts'
import { noModelFor } from '../models/dialect-models.ts'
import { mustHaveGuesses } from '../models/guess.ts'
import { ModelQuery } from '../models/model-query.ts'
import { modelStates } from '../models/model-state.ts'
import { homePage } from '../pages/home-page.ts'
import { sendPage } from '../pages/send-page.ts'
import { uploadPage } from '../pages/upload-page.ts'
import type { Service } from '../service.ts'
import { type Notice, sendBack, takeNotice } from './notice.ts'
import { GREETING, Greeting } from './vision-service.ts'

const GROUP = 'Image classifier'
const FIELDS = ['file']
const FILE_FORM = { 'multipart/form-data': z.object({ file: z.string().meta({ format: 'binary' }) }) }
const PLACES = { files: FIELDS, url: false, missing: 'The form has no file "file".' } as const
const ALLOWED: readonly string[] = ['png', 'jpg', 'gif']

const Answer = z.object({
  prediction: z.string(),
  score: z.number(),
  success: z.literal(true),
  predictions: z
    .array(z.object({ prediction: z.string(), score: z.number() }))
    .optional()
    .describe('The best guesses, if the request has ?top=.'),
})

const error: ErrorShape = {
  schema: z.object({ prediction: z.null(), score: z.null(), success: z.literal(false) }),
  body: () => ({ prediction: null, score: null, success: false }),
  status: ({ code, status }) => (/^ERR_(IMAGE|INPUT|URL)_|^ERR_UNSUPPORTED_MEDIA$/.test(code) ? 400 : status),
}

const home = {
  method: 'get',
  paths: ['/'],
  group: GROUP,
  summary: 'The home page: the served models, and a form to upload an image',
  query: NoQuery,
  answers: {
    200: {
      means: 'The page, or a greeting if "Accept" prefers JSON.',
      content: { 'text/html': 'A page.', 'application/json': Greeting },
    },
  },
  errors: [],
  errorShape: OWN_ERROR,
} as const satisfies Operation

const upload = {
  method: 'post',
  paths: ['/'],
  group: GROUP,
  summary: 'Classifies the uploaded image and shows the result on a page',
  query: ModelQuery,
  body: FILE_FORM,
  answers: {
    200: { means: 'The page.', content: { 'text/html': 'A page.' } },
    302: {
      means: 'A redirect to the form, which shows that the file is missing, empty or not of an allowed type.',
    },
  },
  errors: [400, 404, 408, 413, 415, 422, 502, 503, 504],
  errorShape: OWN_ERROR,
  example: 'curl -F file=@dog.jpg $URL/',
} as const satisfies Operation

const prediction = {
  method: 'post',
  paths: ['/predict'],
  group: GROUP,
  summary: 'Classifies the file "file"; answers with the best guess',
  query: ModelQuery,
  body: { ...FILE_FORM, 'image/*': 'The image itself.' },
  answers: {
    200: { means: 'The name and the score of the best guess.', content: { 'application/json': Answer } },
  },
  errors: [400, 404, 408, 413, 502, 503, 504],
  errorShape: error,
  example: 'curl -F file=@dog.jpg $URL/predict',
} as const satisfies Operation

const display = {
  method: 'get',
  paths: ['/display/:file'],
  group: GROUP,
  summary: 'Redirects to an image that was uploaded to /',
  query: NoQuery,
  answers: { 302: { means: 'A redirect to the image.' } },
  errors: [404],
  errorShape: OWN_ERROR,
} as const satisfies Operation

/** The dialect of image_classifier, which served ResNet50 behind a queue in Redis, with a form. */
export const imageClassifier: Dialect<Service> = {
  name: 'image_classifier',
  paths: ['/predict'],
  error,
  setting: 'predictModel',
  originalModel: 'resnet50',
  subject: 'photograph',
  example: {
    says: 'Send a form with the file “file”; the answer is the best guess. The form on this page does the same, if no key is needed.',
    command: 'curl -F file=@photo.jpg $URL/predict',
    answer: '{"prediction":"Eskimo_dog","score":0.9346,"success":true}',
  },
  routes,
}

function routes(service: Service): void {
  const { brokers, config, dialects, dialectModels, images, predictor, recentImages, site } = service

  serve(service, home, async (ctx) => {
    ctx.vary('Accept')
    if (ctx.accepts('html', 'json') === 'json') {
      ctx.body = GREETING
      return
    }
    ctx.set('Cache-Control', 'no-cache')
    const notice = takeNotice(ctx)
    const page = {
      models: modelStates(brokers),
      dialects: dialects.map((dialect) => ({
        ...dialect,
        model: dialectModels.of(dialect),
        missing: noModelFor(dialect),
      })),
      upload: { model: dialectModels.of(imageClassifier), missing: noModelFor(imageClassifier) },
      origin: ownAddress(ctx),
      notice,
      needsKey: config.apiKeys.length > 0,
    }
    await sendPage(ctx, homePage(site, page))
  })

  serve(service, upload, async (ctx, { model = dialectModels.mustHave(imageClassifier), top }) => {
    const start = performance.now()
    const file = await images.body(ctx, 'file').then((body) => fileIn(body, FIELDS), unreadable)
    const notice = noticeFor(file)
    if (file === undefined || notice !== undefined) return sendBack(ctx, notice ?? 'no-part')
    const sent = { bytes: file.bytes, url: '' }
    const { answer, stored, reportId } = await predictor.predictBytes(
      ctx,
      model,
      sent,
      { top },
      { show: 'all' },
    )
    const [best, ...others] = mustHaveGuesses(answer)
    const page = {
      others:
        top === undefined ? [] : others.map(({ name, probability }) => ({ name, score: score(probability) })),
      image: stored && `/display/${stored.file}`,
      prediction: best?.name ?? '',
      score: score(best?.probability ?? 0),
      seconds: (performance.now() - start) / 1000,
      id: reportId,
      model,
    }
    await sendPage(ctx, uploadPage(site, page))
  })

  serve(service, prediction, async (ctx, { model = dialectModels.mustHave(imageClassifier), top }) => {
    const { answer } = await predictor.predict(ctx, model, PLACES, { top: top ?? 1 })
    const guesses = mustHaveGuesses(answer).map(({ name, probability }) => ({
      prediction: name,
      score: score(probability),
    }))
    ctx.body = { ...guesses[0], success: true, ...(top !== undefined && { predictions: guesses }) }
  })

  serve(service, display, (ctx) => {
    const image = displayed(recentImages, String(ctx.params.file))
    if (image === undefined) throw noUpload(config.uploadTtlMs)
    ctx.redirect(`/uploads/${image.file}`)
  })
}

/** Any extension finds the image: the original kept that of the uploaded file, such as `.jpeg` or even a wrong one. */
function displayed(images: RecentImages, file: string): RecentImage | undefined {
  const [, md5] = /^([0-9a-f]{32})\.(?:png|jpe?g|gif)$/i.exec(file) ?? []
  return images.get(file) ?? (md5 === undefined ? undefined : images.byMd5(md5.toLowerCase()))
}

/** A form that cannot be parsed counts as a form without a file, as in the original. */
function unreadable(error: unknown): undefined {
  if (describeError(error).code !== 'ERR_BAD_REQUEST') throw error
  return undefined
}

/** Rounded to four decimals. */
function score(probability: number): number {
  return Number(probability.toFixed(4))
}

function noticeFor(file: { name: string; bytes: Buffer } | undefined): Notice | undefined {
  if (file === undefined) return 'no-part'
  if (file.bytes.length === 0) return 'no-file'
  return ALLOWED.includes(imageKind(file.bytes)?.extension ?? '') ? undefined : 'not-allowed'
}
