import { z } from 'zod'
import { type Operation, serve } from '../http/operation.ts'
import { mustBeLabelled } from '../models/guess.ts'
import { ALL_GUESSES } from '../models/wanted-guesses.ts'
import type { RouteParts } from '../service.ts'
import { DIGITS } from './all.ts'
import { floatText } from './float-text.ts'
import { DigitsAnswer, ModelQuery } from './schemas.ts'

const prediction = {
  method: 'post',
  paths: ['/predictlabel', '/api/predictlabel'],
  group: 'Digits',
  summary: 'The digit on a drawing or a photograph',
  query: ModelQuery,
  body: {
    'multipart/form-data': z.object({
      image: z.string().meta({ format: 'binary' }).optional(),
      file: z.string().meta({ format: 'binary' }).optional(),
    }),
    'image/*': 'The image itself.',
  },
  answers: {
    200: {
      means: 'The best label, and all labels in the order of the classes.',
      content: { 'application/json': DigitsAnswer },
    },
  },
  errors: [400, 404, 408, 413, 415, 422, 502, 503, 504],
  dialect: DIGITS,
  example: 'curl -F image=@four.png $URL/predictlabel',
} as const satisfies Operation

const PLACES = {
  files: ['image', 'file'],
  url: false,
  missing: 'The form has no file "image".',
} as const

/** What deeplearning_flask spoke: MNIST digits behind nginx. */
export function digitsLabelRoutes(parts: RouteParts): void {
  const { predictor, models } = parts
  serve(parts, prediction, async (ctx, { model = models.digits, top = ALL_GUESSES }) => {
    const { answer } = await predictor.predict(ctx, model, PLACES, { top })
    const best = mustBeLabelled(model, answer.value)
    const predictions = [...best]
      .sort((a, b) => a.index - b.index)
      .map(({ label, probability }) => ({ label, probability: floatText(probability) }))
    ctx.body = { most_probable_label: best[0]?.label ?? '', predictions, success: true }
  })
}
