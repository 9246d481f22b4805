import { z } from 'zod'
import type { Dialect, ErrorShape } from '../http/dialect.ts'
import { type Operation, serve } from '../http/operation.ts'
import { mustHaveGuesses } from '../models/guess.ts'
import { ModelQuery } from '../models/model-query.ts'
import { ALL_GUESSES } from '../models/wanted-guesses.ts'
import type { Service } from '../service.ts'
import { floatText } from './float-text.ts'

const PLACES = {
  files: ['image', 'file'],
  url: false,
  missing: 'The form has no file "image".',
} as const

const Answer = z.object({
  most_probable_label: z.string(),
  predictions: z
    .array(z.object({ label: z.string(), probability: z.string() }))
    .describe('In the order of the classes. Probabilities are strings.'),
  success: z.literal(true),
})

const error: ErrorShape = {
  schema: z.object({ success: z.literal(false) }),
  body: () => ({ success: false }),
}

const prediction = {
  method: 'post',
  paths: ['/predictlabel', '/api/predictlabel'],
  group: 'Digits',
  summary: 'Classifies the digit on a drawing or a photograph',
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
      content: { 'application/json': Answer },
    },
  },
  errors: [400, 404, 408, 413, 415, 422, 502, 503, 504],
  errorShape: error,
  example: 'curl -F image=@four.png $URL/predictlabel',
} as const satisfies Operation

/** The dialect of deeplearning_flask, which served MNIST digits behind nginx. */
export const deeplearningFlask: Dialect<Service> = {
  name: 'deeplearning_flask',
  paths: ['/predictlabel', '/api/predictlabel'],
  error,
  setting: 'digitsModel',
  originalModel: 'digits',
  subject: 'digit',
  example: {
    says: 'Send a handwritten digit; the answer has ten probabilities in the order of the classes.',
    command: 'curl -F image=@seven.png $URL/predictlabel',
    answer: '{"most_probable_label":"7","predictions":[{"label":"0","probability":"1.39e-08"},…],…}',
  },
  routes,
}

function routes(service: Service): void {
  const { predictor, dialectModels } = service
  serve(
    service,
    prediction,
    async (ctx, { model = dialectModels.mustHave(deeplearningFlask), top = ALL_GUESSES }) => {
      const { answer } = await predictor.predict(ctx, model, PLACES, { top })
      const best = mustHaveGuesses(answer)
      const predictions = [...best]
        .sort((a, b) => a.index - b.index)
        .map(({ label, probability }) => ({ label, probability: floatText(probability) }))
      ctx.body = { most_probable_label: best[0]?.label ?? '', predictions, success: true }
    },
  )
}
