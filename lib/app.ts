import Router from '@koa/router'
import Koa from 'koa'
import type { Broker } from '../broker/broker.ts'
import { createClassifier } from './classifier.ts'
import type { Config } from './config.ts'
import { dialectModels } from './dialect-models.ts'
import { padModel } from './digit-pad.ts'
import { createFeedback } from './feedback.ts'
import { createImages } from './images.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import { acceptHeader } from './middleware/accept-header.ts'
import { accessLog } from './middleware/access-log.ts'
import { clientGone } from './middleware/client-gone.ts'
import { closeWhenDraining } from './middleware/close-when-draining.ts'
import { countRequests } from './middleware/count-requests.ts'
import { crossOrigin } from './middleware/cross-origin.ts'
import { errorHandler } from './middleware/error-handler.ts'
import { notFound } from './middleware/not-found.ts'
import { rateLimit } from './middleware/rate-limit.ts'
import { bodyReader } from './middleware/read-body.ts'
import { requestId } from './middleware/request-id.ts'
import { refuseBadTarget, requestTarget } from './middleware/request-target.ts'
import { requireKey } from './middleware/require-key.ts'
import { securityHeaders } from './middleware/security-headers.ts'
import { showPadOf } from './pages/layout.ts'
import { createPredictor } from './predict-image.ts'
import { createRecentImages } from './recent-images.ts'
import { createRecentPredictions } from './recent-predictions.ts'
import { classifyUploadRoutes } from './routes/classify-upload.ts'
import { digitsLabelRoutes } from './routes/digits-labels.ts'
import { documentRoutes } from './routes/documents.ts'
import { feedbackRoutes } from './routes/feedback.ts'
import { healthRoutes } from './routes/health.ts'
import { inferRoutes } from './routes/infer.ts'
import { labelRoutes } from './routes/labels.ts'
import { metricsRoutes } from './routes/metrics.ts'
import { modelRoutes } from './routes/model.ts'
import type { RouteParts } from './routes/parts.ts'
import { publicFileRoutes } from './routes/public-files.ts'
import { statusRoutes } from './routes/status.ts'
import { visionRoutes } from './routes/vision.ts'
import { createSafeFetch, type Resolve } from './safe-fetch.ts'
import type { Context, RequestState, ServiceState } from './state.ts'
import { StatusHistory } from './status-history.ts'
import { VERSION } from './version.ts'

export interface AppParts {
  readonly config: Config
  readonly brokers: ReadonlyMap<string, Broker>
  readonly log: Log
  readonly metrics: Metrics
  readonly service: ServiceState
  /** how names of hosts become addresses; the system's way when left out */
  readonly resolve?: Resolve
}

/** The web application. The order of the list is the order of execution. */
export function createApp(parts: AppParts): Koa<RequestState> {
  const { brokers, config, log, metrics, service } = parts
  const { apiKeys, corsOrigins, rateLimit: perMinute, trustProxy } = config
  const app = new Koa<RequestState>({ proxy: trustProxy > 0, maxIpsCount: trustProxy })
  // Only what fails while an answer is being written comes here; all else is the error handler's.
  app.on('error', (error: unknown, ctx: Context) => {
    const level = isOfTheClient(error, ctx) ? 'debug' : 'error'
    log[level]({ requestId: ctx.state.requestId, err: error }, 'answer failed')
  })
  app.use(requestTarget())
  app.use(acceptHeader())
  app.use(requestId())
  app.use(accessLog(log))
  app.use(countRequests(metrics))
  app.use(securityHeaders())
  app.use(closeWhenDraining(service))
  app.use(crossOrigin(corsOrigins))
  app.use(errorHandler(log))
  app.use(refuseBadTarget())
  app.use(requireKey(apiKeys, [...brokers.keys()]))
  app.use(rateLimit(perMinute))
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

function createRouter(parts: AppParts): Router<RequestState> {
  const { brokers, metrics, service } = parts
  const router = new Router<RequestState>()
  const routes = routeParts(parts, router)
  showPadOf(padModel(parts.config))
  visionRoutes(routes)
  inferRoutes(routes)
  digitsLabelRoutes(routes)
  classifyUploadRoutes(routes, brokers)
  feedbackRoutes(routes)
  publicFileRoutes(routes)
  healthRoutes(routes, brokers, service)
  metricsRoutes(routes, metrics)
  statusRoutes(routes, brokers, new StatusHistory(brokers, metrics), service)
  documentRoutes(routes, VERSION)
  modelRoutes(routes, brokers)
  labelRoutes(routes)
  return router
}

function routeParts(
  { config, brokers, metrics, resolve }: AppParts,
  router: Router<RequestState>,
): RouteParts {
  const classifier = createClassifier(brokers, config, metrics)
  const images = createImages(bodyReader(config), createSafeFetch(config, resolve), config.maxBodyBytes)
  const recentImages = createRecentImages(config)
  const recentPredictions = createRecentPredictions()
  const keepsImages = config.keepFeedbackImages === 'on'
  return {
    router,
    operations: [],
    config,
    classifier,
    images,
    predictor: createPredictor({ classifier, images, recentImages, recentPredictions, keepsImages }),
    models: dialectModels(config),
    recentImages,
    recentPredictions,
    feedback: createFeedback(config),
  }
}
