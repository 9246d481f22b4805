import { z } from 'zod'
import { NoQuery, type Operation, serve } from '../http/operation.ts'
import { mustBeLabelled } from '../models/guess.ts'
import type { RouteParts } from '../service.ts'
import { VISION } from './all.ts'
import { ModelQuery, VisionAnswer, VisionHello } from './schemas.ts'

const GROUP = 'Vision service'
export const HELLO = { message: 'Send files to /api/predict', success: true } as const

const hello = {
  method: 'get',
  paths: ['/api'],
  group: GROUP,
  summary: 'Where to send images',
  query: NoQuery,
  answers: { 200: { means: 'A greeting.', content: { 'application/json': VisionHello } } },
  errors: [],
  dialect: VISION,
  example: 'curl $URL/api',
} as const satisfies Operation

const prediction = {
  method: 'post',
  paths: ['/api/predict'],
  group: GROUP,
  summary: 'The five best guesses for the file "image"',
  query: ModelQuery,
  body: {
    'multipart/form-data': z.object({ image: z.string().meta({ format: 'binary' }) }),
    'image/*': 'The image itself.',
  },
  answers: { 200: { means: 'Guesses, the best first.', content: { 'application/json': VisionAnswer } } },
  errors: [400, 404, 408, 413, 415, 422, 502, 503, 504],
  dialect: VISION,
  example: 'curl -F image=@photo.jpg $URL/api/predict',
} as const satisfies Operation

const GUESSES = 5
const PLACES = { files: ['image'], url: false, missing: 'No image found.' } as const

/** What vision-service spoke: ResNet50 behind a queue in Redis. */
export function visionRoutes(parts: RouteParts): void {
  const { predictor, models } = parts
  serve(parts, hello, (ctx) => {
    ctx.body = HELLO
  })
  serve(parts, prediction, async (ctx, { model = models.api, top = GUESSES }) => {
    const { answer } = await predictor.predict(ctx, model, PLACES, { top })
    const predictions = mustBeLabelled(model, answer.value).map(({ name, probability }) => ({
      label: name,
      proba: probability,
    }))
    ctx.body = { success: true, message: { predictions, predicted_at: timestamp(new Date()) } }
  })
}

/** `%Y%m%d_%H%M%S` in local time. */
function timestamp(now: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`
  return `${day}_${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`
}
