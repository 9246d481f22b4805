import { z } from 'zod'
import type { ServiceState } from '../http/context.ts'
import { OWN_ERROR } from '../http/dialect.ts'
import { NoQuery, type Operation, serve } from '../http/operation.ts'
import { type ModelState, modelStates } from '../models/model-state.ts'
import type { Service } from '../service.ts'

const GROUP = 'Operation'

const Health = z.object({ status: z.literal('ok') })
const Readiness = z.object({
  status: z.enum(['ready', 'starting', 'failed', 'draining']),
  models: z.record(z.string(), z.looseObject({ state: z.string() })),
})

const health = {
  method: 'get',
  paths: ['/healthz'],
  group: GROUP,
  summary: 'Whether the process answers',
  query: NoQuery,
  answers: { 200: { means: 'It does.', content: { 'application/json': Health } } },
  errors: [],
  errorShape: OWN_ERROR,
  example: 'curl $URL/healthz',
} as const satisfies Operation

const readiness = {
  method: 'get',
  paths: ['/readyz'],
  group: GROUP,
  summary: 'Whether there is a model to answer with, and how far each one is',
  query: NoQuery,
  answers: {
    200: { means: 'At least one model serves.', content: { 'application/json': Readiness } },
    503: {
      means: 'None does yet, or no more requests are wanted.',
      content: { 'application/json': Readiness },
    },
  },
  errors: [],
  errorShape: OWN_ERROR,
  example: 'curl $URL/readyz',
} as const satisfies Operation

/** `/healthz`: this process answers. `/readyz`: it has a model to answer with, and wants more requests. */
export function healthRoutes(service: Service): void {
  const { brokers, state } = service
  serve(service, health, (ctx) => {
    ctx.set('Cache-Control', 'no-store')
    ctx.body = { status: 'ok' }
  })

  serve(service, readiness, (ctx) => {
    const models = modelStates(brokers)
    const status = statusOf(models, state)
    ctx.status = status === 'ready' ? 200 : 503
    ctx.set('Cache-Control', 'no-store')
    ctx.body = { status, models: Object.fromEntries(models.map((model) => [model.name, shown(model)])) }
  })
}

function statusOf(models: readonly ModelState[], { draining }: ServiceState): string {
  if (draining) return 'draining'
  if (models.some(({ state }) => state === 'ready')) return 'ready'
  return models.length > 0 && models.every(({ state }) => state === 'failed') ? 'failed' : 'starting'
}

function shown({ state, progress, device, reason, error, restarts, queued, inFlight, workers }: ModelState) {
  const states = workers.map((worker) => worker.state)
  return { state, progress, device, reason, error, restarts, queued, inFlight, workers: states }
}
