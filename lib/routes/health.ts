import type { Router } from '@koa/router'
import type { Broker, BrokerStats } from '../../broker/broker.ts'
import type { RequestState, ServiceState } from '../state.ts'

/** `/healthz`: this process answers. `/readyz`: it has a model to answer with, and wants more requests. */
export function healthRoutes(
  router: Router<RequestState>,
  brokers: ReadonlyMap<string, Broker>,
  service: ServiceState,
): void {
  router.get('/healthz', (ctx) => {
    ctx.set('Cache-Control', 'no-store')
    ctx.body = { status: 'ok' }
  })

  router.get('/readyz', (ctx) => {
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
