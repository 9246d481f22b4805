import type { Router } from '@koa/router'
import type { Metrics } from '../metrics.ts'
import type { RequestState } from '../state.ts'

/** `GET /metrics`, in Prometheus' text format. */
export function metricsRoutes(router: Router<RequestState>, { registry }: Metrics): void {
  router.get('/metrics', async (ctx) => {
    ctx.type = registry.contentType
    ctx.body = await registry.metrics()
  })
}
