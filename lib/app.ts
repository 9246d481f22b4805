import Router from '@koa/router'
import Koa from 'koa'
import type { Broker } from '../broker/broker.ts'
import type { Config } from './config/config.ts'
import { VERSION } from './config/version.ts'
import { digitsLabelRoutes } from './dialects/deeplearning-flask.ts'
import { dialectModels } from './dialects/dialect-models.ts'
import { classifyUploadRoutes } from './dialects/image-classifier.ts'
import { inferRoutes } from './dialects/img-pipeline.ts'
import { visionRoutes } from './dialects/vision-service.ts'
import { createFeedback } from './feedback/feedback.ts'
import { createSafeFetch, type Resolve } from './fetch/safe-fetch.ts'
import type { Context, RequestState, ServiceState } from './http/context.ts'
import { bodyReader } from './image/body-reader.ts'
import { createRecentImages } from './image/recent-images.ts'
import { createImages } from './image/request-image.ts'
import { acceptHeader } from './middleware/accept-header.ts'
import { accessLog } from './middleware/access-log.ts'
import { clientGone } from './middleware/client-gone.ts'
import { closeWhenDraining } from './middleware/close-when-draining.ts'
import { countRequests } from './middleware/count-requests.ts'
import { crossOrigin } from './middleware/cross-origin.ts'
import { errorHandler } from './middleware/error-handler.ts'
import { notFound } from './middleware/not-found.ts'
import { rateLimit } from './middleware/rate-limit.ts'
import { requestId } from './middleware/request-id.ts'
import { refuseBadTarget, requestTarget } from './middleware/request-target.ts'
import { requireKey } from './middleware/require-key.ts'
import { securityHeaders } from './middleware/security-headers.ts'
import { createClassifier } from './models/classifier.ts'
import { createPredictor } from './models/predictor.ts'
import { createRecentPredictions } from './models/recent-predictions.ts'
import { padModel } from './pages/digit-pad.ts'
import { showPadOf } from './pages/layout.ts'
import type { Log } from './process/log.ts'
import { documentRoutes } from './routes/documents.ts'
import { feedbackRoutes } from './routes/feedback.ts'
import { healthRoutes } from './routes/health.ts'
import { labelRoutes } from './routes/labels.ts'
import { metricsRoutes } from './routes/metrics.ts'
import { modelRoutes } from './routes/model.ts'
import { publicFileRoutes } from './routes/public-files.ts'
import { statusRoutes } from './routes/status.ts'
import type { RouteParts } from './service.ts'
import type { Metrics } from './status/metrics.ts'
import { StatusHistory } from './status/status-history.ts'

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
