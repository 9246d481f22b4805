import { OWN } from '../dialects/all.ts'
import { NoQuery, type Operation, type Served, serve } from '../http/operation.ts'
import type { Metrics } from '../status/metrics.ts'

const metricsText = {
  method: 'get',
  paths: ['/metrics'],
  group: 'Operation',
  summary: 'Figures for Prometheus',
  query: NoQuery,
  answers: { 200: { means: 'The figures.', content: { 'text/plain': "Prometheus' text format." } } },
  errors: [],
  dialect: OWN,
  example: 'curl $URL/metrics',
} as const satisfies Operation

/** `GET /metrics`, in Prometheus' text format. */
export function metricsRoutes(served: Served, { registry }: Metrics): void {
  serve(served, metricsText, async (ctx) => {
    ctx.type = registry.contentType
    ctx.body = await registry.metrics()
  })
}
