import type { Broker, BrokerStats } from '../../broker/broker.ts'
import { OWN } from '../dialects/all.ts'
import { Health, Readiness } from '../dialects/schemas.ts'
import type { ServiceState } from '../http/context.ts'
import { NoQuery, type Operation, type Served, serve } from '../http/operation.ts'

const GROUP = 'Operation'

const health = {
  method: 'get',
  paths: ['/healthz'],
  group: GROUP,
  summary: 'Whether the process answers',
  query: NoQuery,
  answers: { 200: { means: 'It does.', content: { 'application/json': Health } } },
  errors: [],
  dialect: OWN,
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
  dialect: OWN,
  example: 'curl $URL/readyz',
} as const satisfies Operation

/** `/healthz`: this process answers. `/readyz`: it has a model to answer with, and wants more requests. */
export function healthRoutes(
  served: Served,
  brokers: ReadonlyMap<string, Broker>,
  service: ServiceState,
): void {
  serve(served, health, (ctx) => {
    ctx.set('Cache-Control', 'no-store')
    ctx.body = { status: 'ok' }
  })

  serve(served, readiness, (ctx) => {
    const stats = [...brokers].map(([model, broker]) => [model, broker.stats()] as const)
    const status = statusOf(
      stats.map(([, { state }]) => state),
      service,
    )
    ctx.status = status === 'ready' ? 200 : 503
    ctx.set('Cache-Control', 'no-store')
    ctx.body = { status, models: Object.fromEntries(stats.map(([model, its]) => [model, describe(its)])) }
  })
}

function statusOf(states: readonly string[], service: ServiceState): string {
  if (service.draining) return 'draining'
  if (states.includes('ready')) return 'ready'
  return states.length > 0 && states.every((state) => state === 'failed') ? 'failed' : 'starting'
}

function describe({
  state,
  progress,
  info,
  error,
  restarts,
  queued,
  inFlight,
  workers,
}: BrokerStats): Record<string, unknown> {
  const { device = null, reason = null } = isRecord(info) ? info : {}
  const states = workers.map((worker) => worker.state)
  return { state, progress, device, reason, error, restarts, queued, inFlight, workers: states }
}

function isRecord(info: unknown): info is Record<string, unknown> {
  return typeof info === 'object' && info !== null
}
