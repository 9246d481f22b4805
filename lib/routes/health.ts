import { z } from 'zod'
import type { Api } from '../api.ts'
import type { ServiceState } from '../http/context.ts'
import { OWN_ERROR } from '../http/dialect.ts'
import { NoQuery, type Operation, serve } from '../http/operation.ts'
import { ModelError, type ModelState, modelStates } from '../models/model-state.ts'

const GROUP = 'Operation'

const Health = z.object({ status: z.literal('ok') })
const Readiness = z.object({
  status: z.enum(['ready', 'starting', 'failed', 'draining']),
  rabbitmq: z
    .object({ connected: z.boolean(), blocked: z.string().nullable(), held: z.int() })
    .optional()
    .describe('The connection of a model host (ROLE=model), and the number of calls that the host holds.'),
  models: z.record(z.string(), z.looseObject({ state: z.string(), error: ModelError })),
})

const health = {
  method: 'get',
  paths: ['/healthz'],
  group: GROUP,
  summary: 'Tells that the process answers',
  query: NoQuery,
  answers: { 200: { means: 'The process answers.', content: { 'application/json': Health } } },
  errors: [],
  errorShape: OWN_ERROR,
  example: 'curl $URL/healthz',
} as const satisfies Operation

const readiness = {
  method: 'get',
  paths: ['/readyz'],
  group: GROUP,
  summary: 'Tells whether a model is ready, and the state of each model',
  query: NoQuery,
  answers: {
    200: { means: 'At least one model is ready.', content: { 'application/json': Readiness } },
    503: {
      means: 'No model is ready, or the service is shutting down.',
      content: { 'application/json': Readiness },
    },
  },
  errors: [],
  errorShape: OWN_ERROR,
  example: 'curl $URL/readyz',
} as const satisfies Operation

/** `/healthz`: the process answers. `/readyz`: a model is ready, and the service accepts requests. */
export function healthRoutes(api: Api): void {
  const { brokers, modelHost, state } = api
  serve(api, health, (ctx) => {
    ctx.set('Cache-Control', 'no-store')
    ctx.body = { status: 'ok' }
  })

  serve(api, readiness, (ctx) => {
    const models = modelStates(brokers)
    const host = modelHost?.stats()
    const isApart = host !== undefined && !host.connected
    const status = statusOf(isApart ? [] : models, state)
    ctx.status = status === 'ready' ? 200 : 503
    ctx.set('Cache-Control', 'no-store')
    const rabbitmq = host && { connected: host.connected, blocked: host.blocked, held: host.held }
    ctx.body = {
      status,
      ...(rabbitmq && { rabbitmq }),
      models: Object.fromEntries(models.map((model) => [model.name, shown(model)])),
    }
  })
}

function statusOf(models: readonly ModelState[], { draining }: ServiceState): string {
  if (draining) return 'draining'
  if (models.some(({ state }) => state === 'ready')) return 'ready'
  return models.length > 0 && models.every(({ state }) => state === 'failed') ? 'failed' : 'starting'
}

function shown({ name, engine, workers, spares, ...others }: ModelState) {
  return { ...others, workers: workers.map(({ state }) => state), spares: spares.map(({ state }) => state) }
}
