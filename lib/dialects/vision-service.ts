import { z } from 'zod'
import type { Dialect, ErrorShape } from '../http/dialect.ts'
import { NoQuery, type Operation, serve } from '../http/operation.ts'
import { mustHaveGuesses } from '../models/guess.ts'
import { ModelQuery } from '../models/model-query.ts'
import type { Service } from '../service.ts'

const GROUP = 'Vision service'
const GUESSES = 5
const PLACES = { files: ['image'], url: false, missing: 'No image found.' } as const

export const Greeting = z.object({
  message: z.literal('Send files to /api/predict'),
  success: z.literal(true),
})
export const GREETING: z.output<typeof Greeting> = { message: 'Send files to /api/predict', success: true }

const Answer = z.object({
  success: z.literal(true),
  message: z.object({
    predictions: z.array(z.object({ label: z.string(), proba: z.number() })),
    predicted_at: z
      .string()
      .regex(/^\d{8}_\d{6}$/)
      .describe('Local time, %Y%m%d_%H%M%S.'),
  }),
})

const error: ErrorShape = {
  schema: z.object({ success: z.literal(false), message: z.string(), url: z.string() }),
  body: ({ message }, ctx) => ({ success: false, message, url: ctx.href }),
}

const hello = {
  method: 'get',
  paths: ['/api'],
  group: GROUP,
  summary: 'Says where to send images',
  query: NoQuery,
  answers: { 200: { means: 'A greeting.', content: { 'application/json': Greeting } } },
  errors: [],
  errorShape: error,
  example: 'curl $URL/api',
} as const satisfies Operation

const prediction = {
  method: 'post',
  paths: ['/api/predict'],
  group: GROUP,
  summary: 'Classifies the file "image"; answers with the five best guesses',
  query: ModelQuery,
  body: {
    'multipart/form-data': z.object({ image: z.string().meta({ format: 'binary' }) }),
    'image/*': 'The image itself.',
  },
  answers: { 200: { means: 'The guesses, the best one first.', content: { 'application/json': Answer } } },
  errors: [400, 404, 408, 413, 415, 422, 502, 503, 504],
  errorShape: error,
  example: 'curl -F image=@photo.jpg $URL/api/predict',
} as const satisfies Operation

/** The dialect of vision-service, which served ResNet50 behind a queue in Redis. */
export const visionService: Dialect<Service> = {
  name: 'vision-service',
  paths: ['/api', '/api/*'],
  error,
  setting: 'apiModel',
  originalModel: 'resnet50',
  subject: 'photograph',
  example: {
    says: 'Send a form with the file “image”; the answer has the five best guesses, with the class names of Keras.',
    command: 'curl -F image=@photo.jpg $URL/api/predict',
    answer: '{"success":true,"message":{"predictions":[{"label":"tabby","proba":0.53},…],…}}',
  },
  routes,
}

function routes(service: Service): void {
  const { predictor, dialectModels } = service
  serve(service, hello, (ctx) => {
    ctx.body = GREETING
  })
  serve(
    service,
    prediction,
    async (ctx, { model = dialectModels.mustHave(visionService), top = GUESSES }) => {
      const { answer } = await predictor.predict(ctx, model, PLACES, { top })
      const predictions = mustHaveGuesses(answer).map(({ name, probability }) => ({
        label: name,
        proba: probability,
      }))
      ctx.body = { success: true, message: { predictions, predicted_at: timestamp(new Date()) } }
    },
  )
}

/** `%Y%m%d_%H%M%S` in local time. */
function timestamp(now: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`
  return `${day}_${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`
}
