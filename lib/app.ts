import Koa from 'koa'
import type { Logger } from 'pino'
import type { Api } from './api.ts'
import { DIALECTS } from './dialects/all.ts'
import type { Context, Middleware, RequestState } from './http/context.ts'
import { errorShapeAt, OWN_ERROR } from './http/dialect.ts'
import { acceptHeader } from './middleware/accept-header.ts'
import { accessLog } from './middleware/access-log.ts'
import { clientGone } from './middleware/client-gone.ts'
import { closeWhenDraining } from './middleware/close-when-draining.ts'
import { countRequests } from './middleware/count-requests.ts'
import { crossOrigin } from './middleware/cross-origin.ts'
import { errorHandler } from './middleware/error-handler.ts'
import { knownHost } from './middleware/known-host.ts'
import { notFound } from './middleware/not-found.ts'
import { rateLimit } from './middleware/rate-limit.ts'
import { requestId } from './middleware/request-id.ts'
import { refuseBadTarget, requestTarget } from './middleware/request-target.ts'
import { requireKey } from './middleware/require-key.ts'
import { sameSite } from './middleware/same-site.ts'
import { securityHeaders } from './middleware/security-headers.ts'
import { errorPage } from './pages/error-page.ts'
import { docsRoutes, openapiRoutes } from './routes/documents.ts'
import { embedRoutes } from './routes/embed.ts'
import { feedbackRoutes } from './routes/feedback.ts'
import { healthRoutes } from './routes/health.ts'
import { labelRoutes } from './routes/labels.ts'
import { metricsRoutes } from './routes/metrics.ts'
import { modelApiRoutes, modelRoutes, tornadoCompute } from './routes/model.ts'
import { modelListRoutes } from './routes/model-list.ts'
import { publicFileRoutes } from './routes/public-files.ts'
import { statusRoutes } from './routes/status.ts'
import { uploadRoutes } from './routes/uploads.ts'
import { type Service, speak } from './service.ts'

/** All routes except those of the dialects. */
const ROUTES = [
  uploadRoutes,
  feedbackRoutes,
  publicFileRoutes,
  healthRoutes,
  metricsRoutes,
  statusRoutes,
  openapiRoutes,
  docsRoutes,
  modelListRoutes,
  modelRoutes,
  embedRoutes,
  labelRoutes,
]

const API_ROUTES = [healthRoutes, openapiRoutes, modelListRoutes, modelApiRoutes, embedRoutes, labelRoutes]

/** A model host answers its operators alone. */
const MODEL_HOST_ROUTES = [healthRoutes, metricsRoutes]

/** The web application, with pages and dialects. */
export function createApp(service: Service, log: Logger): Koa<RequestState> {
  const { config, brokers, dialects, metrics, site, state } = service
  const hasPages = config.role !== 'model'
  if (hasPages) for (const dialect of [tornadoCompute, ...DIALECTS]) speak(service, dialect)
  for (const routes of hasPages ? ROUTES : MODEL_HOST_ROUTES) routes(service)
  return application(service, log, {
    first: [accessLog(log), countRequests(metrics), securityHeaders(), closeWhenDraining(state)],
    errors: {
      shapeAt: (path) => errorShapeAt(path, dialects),
      page: hasPages ? (error) => errorPage(site, error) : undefined,
    },
    guards: [knownHost(config)],
    pages: [...brokers.keys()],
  })
}

/** The API alone, for a program that answers requests itself: without pages, dialects and figures of the process. */
export function createApiApp(api: Api, log: Logger): Koa<RequestState> {
  for (const routes of API_ROUTES) routes(api)
  const errors = { shapeAt: () => OWN_ERROR, page: undefined }
  return application(api, log, { first: [], errors, guards: [], pages: [] })
}

/** In what the web application differs from the API alone. */
interface Surroundings {
  /** run before anything can be refused */
  readonly first: readonly Middleware[]
  readonly errors: Parameters<typeof errorHandler>[1]
  /** refuse requests, before all others */
  readonly guards: readonly Middleware[]
  /** the models that have a page, which needs no key */
  readonly pages: readonly string[]
}

/** The order of the lines is the order of execution. */
function application(
  { config, router }: Api,
  log: Logger,
  { first, errors, guards, pages }: Surroundings,
): Koa<RequestState> {
  const { apiKeys, corsOrigins, rateLimit: perMinute, trustProxy } = config
  const app = new Koa<RequestState>({ proxy: trustProxy > 0, maxIpsCount: trustProxy })
  logFailures(app, log)
  app.use(requestTarget())
  app.use(acceptHeader())
  app.use(requestId())
  for (const one of first) app.use(one)
  app.use(crossOrigin(corsOrigins))
  app.use(errorHandler(log, errors))
  app.use(refuseBadTarget())
  for (const one of guards) app.use(one)
  app.use(sameSite(corsOrigins))
  app.use(requireKey(apiKeys, pages))
  app.use(rateLimit(perMinute))
  app.use(clientGone())
  app.use(router.routes())
  app.use(notFound())
  return app
}

/** 'error' reports a failure after the answer has begun; errorHandler answers every earlier one. */
function logFailures(app: Koa<RequestState>, log: Logger): void {
  app.on('error', (error: unknown, ctx: Context) => {
    const level = isClientsFault(error, ctx) ? 'debug' : 'error'
    log[level]({ requestId: ctx.state.requestId, err: error }, 'answer failed')
  })
}

/** A client that left or sent invalid HTTP is not our error: clients must not fill the log. */
function isClientsFault(error: unknown, ctx: Context): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return (
    ctx.req.destroyed ||
    ctx.res.destroyed ||
    /^(ECONNRESET|EPIPE|HPE_\w+|ERR_STREAM_PREMATURE_CLOSE)$/.test(code)
  )
}
