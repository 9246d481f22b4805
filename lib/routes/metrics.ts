import { OWN_ERROR } from '../http/dialect.ts'
import { NoQuery, type Operation, serve } from '../http/operation.ts'
import type { Service } from '../service.ts'

const metricsText = {
  method: 'get',
  paths: ['/metrics'],
  group: 'Operation',
  summary: 'Metrics for Prometheus',
  query: NoQuery,
  answers: { 200: { means: 'The metrics.', content: { 'text/plain': "Prometheus' text format." } } },
  errors: [],
  errorShape: OWN_ERROR,
  example: 'curl $URL/metrics',
} as const satisfies Operation

/** `GET /metrics`, in Prometheus' text format. */
export function metricsRoutes(service: Service): void {
  const { registry } = service.metrics
  serve(service, metricsText, async (ctx) => {
    ctx.type = registry.contentType
    ctx.body = await registry.metrics()
  })
}
