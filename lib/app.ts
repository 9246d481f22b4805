import Router from '@koa/router'
import Koa from 'koa'
import type { Broker } from '../broker/broker.ts'
import { createClassifier } from './classifier.ts'
import type { Config } from './config.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import { accessLog } from './middleware/access-log.ts'
import { clientGone } from './middleware/client-gone.ts'
import { closeWhenDraining } from './middleware/close-when-draining.ts'
import { countRequests } from './middleware/count-requests.ts'
import { errorHandler } from './middleware/error-handler.ts'
import { notFound } from './middleware/not-found.ts'
import { bodyReader } from './middleware/read-body.ts'
import { requestId } from './middleware/request-id.ts'
import { refuseBadTarget, requestTarget } from './middleware/request-target.ts'
import { securityHeaders } from './middleware/security-headers.ts'
import { healthRoutes } from './routes/health.ts'
import { indexListRoutes } from './routes/index-list.ts'
import { metricsRoutes } from './routes/metrics.ts'
import { predictRoutes } from './routes/predict.ts'
import type { Context, RequestState, ServiceState } from './state.ts'

export interface AppParts {
  readonly config: Config
  readonly brokers: ReadonlyMap<string, Broker>
  readonly log: Log
  readonly metrics: Metrics
  readonly service: ServiceState
}

/** The web application. The order of the list is the order of execution. */
export function createApp(parts: AppParts): Koa<RequestState> {
  const { log, metrics, service } = parts
  const app = new Koa<RequestState>()
  // Only what fails while an answer is being written comes here; all else is the error handler's.
  app.on('error', (error: unknown, ctx: Context) => {
    const level = isOfTheClient(error, ctx) ? 'debug' : 'error'
    log[level]({ requestId: ctx.state.requestId, err: error }, 'answer failed')
  })
  app.use(requestTarget())
  app.use(requestId())
  app.use(accessLog(log))
  app.use(countRequests(metrics))
  app.use(securityHeaders())
  app.use(closeWhenDraining(service))
  app.use(errorHandler(log))
  app.use(refuseBadTarget())
  app.use(clientGone())
  app.use(createRouter(parts).routes())
  app.use(notFound())
  return app
}

/** A client that left, or sent what is no HTTP, has made no error of ours; a stranger must not fill the log. */
function isOfTheClient(error: unknown, ctx: Context): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return (
    ctx.req.destroyed ||
    ctx.res.destroyed ||
    /^(ECONNRESET|EPIPE|HPE_\w+|ERR_STREAM_PREMATURE_CLOSE)$/.test(code)
  )
}

function createRouter({ config, brokers, metrics, service }: AppParts): Router<RequestState> {
  const router = new Router<RequestState>()
  const classifier = createClassifier(brokers)
  healthRoutes(router, brokers, service)
  metricsRoutes(router, metrics)
  indexListRoutes(router, classifier)
  predictRoutes(router, classifier, bodyReader(config))
  return router
}
