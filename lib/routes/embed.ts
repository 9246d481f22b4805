import { z } from 'zod'
import type { Api } from '../api.ts'
import { OWN_ERROR } from '../http/dialect.ts'
import { HttpError } from '../http/errors.ts'
import { type Operation, serve } from '../http/operation.ts'
import {
  jsonNumbers,
  littleEndian,
  mustHaveFeatures,
  noFeatures,
  normalized,
  pooled,
} from '../models/features.ts'
import { FeatureAnswer } from '../models/model-answer.ts'
import { roundedTiming } from '../models/timing.ts'

const BINARY = 'application/octet-stream'
const PLACES = {
  files: ['image', 'file'],
  url: true,
  missing:
    'POST /embed needs an image: as the body, as the file "image" of a form, or as an address in "url".',
} as const

const Query = z.object({
  model: z.string().optional().describe('A served model whose settings have "kind": "features".'),
  url: z.string().optional().describe('The http or https address of an image, or a data URI with an image.'),
  normalize: z
    .enum(['true', 'false'])
    .optional()
    .describe('Whether the numbers are divided by the length of the vector.'),
  pool: z.enum(['mean', 'none']).optional().describe('"mean" averages a map over its places: one vector.'),
})

const UrlForm = z.object({ url: z.string() })

const embedding = {
  method: 'post',
  paths: ['/embed'],
  group: 'Models',
  summary: 'Answers with the features of an image, for search and comparison',
  query: Query,
  body: {
    'image/*': 'The image itself. The first bytes tell the format.',
    'multipart/form-data': z.object({
      image: z.string().meta({ format: 'binary' }).optional(),
      file: z.string().meta({ format: 'binary' }).optional(),
      url: z.string().optional(),
    }),
    'application/x-www-form-urlencoded': UrlForm,
    'application/json': UrlForm,
  },
  answers: {
    200: {
      means: 'The numbers of the model. As application/octet-stream: 32-bit floats, the lowest byte first.',
      content: {
        'application/json': FeatureAnswer,
        [BINARY]: 'The numbers. The header X-Shape has their shape.',
      },
    },
  },
  errors: [400, 404, 406, 408, 413, 415, 422, 502, 503, 504],
  errorShape: OWN_ERROR,
  example: 'curl --data-binary @photo.jpg "$URL/embed?normalize=true"',
} as const satisfies Operation

/** `/embed`: the features of an image by a model that has no classes. */
export function embedRoutes(api: Api): void {
  const { classifier, pipelineInfos, predictor } = api
  serve(api, embedding, async (ctx, { model = modelFor(api), normalize, pool }) => {
    const form = ctx.accepts('json', BINARY)
    if (form === false) throw notAcceptable()
    classifier.mustServe(model)
    // Known before the image is read; a pipeline of the user's own does not tell.
    if (pipelineInfos.of(model)?.output?.kind === 'classes') throw noFeatures(model)
    const { answer } = await predictor.predict(ctx, model, PLACES, {})
    const found = mustHaveFeatures(answer)
    const vector = pool === 'mean' ? pooled(found) : found
    const features = normalize === 'true' ? normalized(vector) : vector
    if (form === 'json') {
      const { shape } = features
      const { outputs } = answer
      const timing = roundedTiming(answer.timing)
      ctx.body = { model, shape, features: jsonNumbers(features), ...(outputs && { outputs }), timing }
      return
    }
    ctx.set('X-Shape', features.shape.join(','))
    ctx.type = BINARY
    ctx.body = littleEndian(features)
  })
}

/** The first model that is known to answer with features. */
function modelFor({ brokers, pipelineInfos }: Api): string {
  const model = [...brokers.keys()].find((name) => pipelineInfos.of(name)?.output?.kind === 'features')
  if (model !== undefined) return model
  throw new HttpError(
    'ERR_MODEL_NONE',
    'No model for features is ready here: MODELS must have one whose settings have "kind": "features".',
  )
}

function notAcceptable(): HttpError {
  return new HttpError(
    'ERR_NOT_ACCEPTABLE',
    `The answer can be application/json or ${BINARY}, but "Accept" allows neither.`,
  )
}
