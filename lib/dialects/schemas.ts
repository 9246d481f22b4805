import { z } from 'zod'

/** Every shape that comes in or goes out, once: requests are validated by them, and /openapi.json is made from them. */

const MAX_TOP = 1000

export const ModelQuery = z.object({
  model: z.string().optional().describe('Another of the served models.'),
  top: z.coerce.number().int().min(1).max(MAX_TOP).optional().describe('The most guesses that are wanted.'),
})

export const Url = z.string().describe('http or https address of an image, or a data URI with one.')
export const UrlForm = z.object({ url: Url })

export const Prediction = z.looseObject({
  index: z.int().describe('Place of the class among the outputs of the model.'),
  label: z.string().describe('First synonym, as people write it.'),
  name: z.string().describe('What Keras calls the class; not unique.'),
  full: z.string().describe('All synonyms.'),
  wnid: z.string().optional().describe('WordNet id, where the class has one.'),
  probability: z.number().describe('From 0 to 1.'),
})

export const Timing = z
  .object({
    queue: z.number(),
    prepare: z.number(),
    predict: z.number(),
    total: z.number(),
    cached: z.literal(true).optional().describe('Kept from an earlier request with the same image.'),
    shared: z.literal(true).optional().describe('Computed for another request that came at the same time.'),
  })
  .describe('Milliseconds: waiting, decoding, computing, and all of it.')

export const ModelAnswer = z.union([
  z.object({ model: z.string(), predictions: z.array(Prediction), timing: Timing }),
  z
    .object({ model: z.string(), predictions: z.array(z.unknown()), timing: Timing })
    .describe('From a pipeline of your own that answers with a list.'),
  z
    .object({ model: z.string(), prediction: z.unknown(), timing: Timing })
    .describe('From a pipeline of your own that answers with anything else.'),
])

export const ErrorAnswer = z.object({
  error: z.object({ code: z.string(), message: z.string(), requestId: z.string() }),
})

export const VisionHello = z.object({
  message: z.literal('Send files to /api/predict'),
  success: z.literal(true),
})
export const VisionAnswer = z.object({
  success: z.literal(true),
  message: z.object({
    predictions: z.array(z.object({ label: z.string(), proba: z.number() })),
    predicted_at: z
      .string()
      .regex(/^\d{8}_\d{6}$/)
      .describe('Local time, %Y%m%d_%H%M%S.'),
  }),
})
export const VisionError = z.object({ success: z.literal(false), message: z.string(), url: z.string() })

export const InferQuery = ModelQuery.extend({
  // Without a digit, nothing would count as the number 0.
  threshold: z
    .string()
    .regex(/\d/)
    .pipe(z.coerce.number<string>().min(0).max(1))
    .optional()
    .describe('Only classes with more confidence are named.'),
})
export const InferRequest = z.object({ images: z.array(z.unknown()).describe('Addresses of images.') })
export const InferAnswer = z.object({
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
export const InferError = z.object({ Error: z.string(), code: z.string() })

export const DigitsAnswer = z.object({
  most_probable_label: z.string(),
  predictions: z
    .array(z.object({ label: z.string(), probability: z.string() }))
    .describe('In the order of the classes; probabilities are texts.'),
  success: z.literal(true),
})
export const DigitsError = z.object({ success: z.literal(false) })

export const PredictAnswer = z.object({
  prediction: z.string(),
  score: z.number(),
  success: z.literal(true),
  predictions: z
    .array(z.object({ prediction: z.string(), score: z.number() }))
    .optional()
    .describe('The best guesses, where ?top= asks for them.'),
})
export const PredictError = z.object({
  prediction: z.null(),
  score: z.null(),
  success: z.literal(false),
})

/** A number is a label, too, where digits are told apart. What is left out is empty. */
const Text = z.union([z.string(), z.number().transform(String)])

export const FeedbackRequest = z.object({
  report: Text.default('').describe('The right label, or what is wrong.'),
  id: Text.default('').describe('X-Request-Id of the answer that was wrong.'),
})

export const FeedbackAnswer = z.object({
  message: z.literal('Thanks for your feedback'),
  success: z.literal(true),
})

export const Health = z.object({ status: z.literal('ok') })
export const Readiness = z.object({
  status: z.enum(['ready', 'starting', 'failed', 'draining']),
  models: z.record(z.string(), z.looseObject({ state: z.string() })),
})

export type ModelQuery = z.output<typeof ModelQuery>
