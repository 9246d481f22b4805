import { z } from 'zod'
import { OWN_ERROR } from '../http/dialect.ts'
import { NoQuery, type Operation, serve } from '../http/operation.ts'
import type { Service } from '../service.ts'

const ServedModel = z.object({
  name: z.string(),
  state: z.string(),
  version: z.string().nullable().describe('Of the weights and settings. Answers of one version repeat.'),
  subject: z.string().nullable().describe('What the model looks at: the picture, or the digit on it.'),
  labels: z
    .int()
    .nullable()
    .describe('How many classes the model tells apart; GET /labels/{model} names them.'),
  input: z
    .object({ width: z.int(), height: z.int() })
    .nullable()
    .describe('What each image is scaled to, in pixels.'),
})

const ModelList = z
  .object({ models: z.array(ServedModel) })
  .describe(
    'All but the name and the state is null until the model was ready once, or if its pipeline does not tell.',
  )

const list = {
  method: 'get',
  paths: ['/models'],
  group: 'Models',
  summary: 'The models that are served, in the order of MODELS',
  query: NoQuery,
  answers: { 200: { means: 'The models.', content: { 'application/json': ModelList } } },
  errors: [],
  errorShape: OWN_ERROR,
  example: 'curl $URL/models',
} as const satisfies Operation

export function modelListRoutes(service: Service): void {
  const { brokers, pipelineInfos } = service
  serve(service, list, (ctx) => {
    ctx.set('Cache-Control', 'no-store')
    const models = [...brokers].map(([name, broker]): z.output<typeof ServedModel> => {
      const stats = broker.stats()
      const info = pipelineInfos.of(name, stats)
      return {
        name,
        state: stats.state,
        version: info?.version || null,
        subject: info?.subject ?? null,
        labels: info?.classes ?? null,
        input: info?.input ?? null,
      }
    })
    ctx.body = { models }
  })
}
