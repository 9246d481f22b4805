import type { Logger } from 'pino'
import { type Api, createApi } from './api.ts'
import type { Config } from './config/config.ts'
import { VERSION } from './config/version.ts'
import { createFeedback, type Feedback } from './feedback/feedback.ts'
import type { Dialect } from './http/dialect.ts'
import { createRecentImages, type RecentImages } from './image/recent-images.ts'
import type { Role } from './models/calls-of-role.ts'
import { createDialectModels, type DialectModels } from './models/dialect-models.ts'
import { createRecentPredictions, type RecentPredictions } from './models/recent-predictions.ts'
import { padModel } from './pages/digit-pad.ts'
import type { Site } from './pages/layout.ts'
import { createMetrics, type Metrics } from './status/metrics.ts'
import { StatusHistory } from './status/status-history.ts'

/** The parts of the service: the API, and what pages, dialects and operators need. Every route gets this one value. */
export interface Service extends Api {
  readonly metrics: Metrics
  readonly history: StatusHistory
  /** the served dialects, each added by `speak` */
  readonly dialects: Dialect<Service>[]
  readonly dialectModels: DialectModels
  readonly recentImages: RecentImages
  readonly recentPredictions: RecentPredictions
  readonly feedback: Feedback
  readonly site: Site
  /** Waits for pending writes and releases all parts but the brokers. To be called after the last request. */
  close(): Promise<void>
}

export function createService(
  config: Config,
  role: Pick<Role, 'brokers' | 'modelHost'>,
  log: Logger,
): Service {
  const { brokers, modelHost } = role
  const metrics = createMetrics(brokers, modelHost)
  const history = new StatusHistory(brokers, metrics)
  const recentImages = createRecentImages(config)
  const recentPredictions = createRecentPredictions(config)
  const keepsImages = config.keepFeedbackImages === 'on'
  const memory = { recentImages, recentPredictions, keepsImages }
  const api = createApi(config, role, { memory, countCached: metrics.countCached })
  const feedback = createFeedback(config, (error) => log.warn({ err: error }, 'reports cannot be stored'))
  const dialects: Dialect<Service>[] = []
  const dialectModels = createDialectModels(config, brokers, api.pipelineInfos)
  return {
    ...api,
    metrics,
    history,
    dialects,
    dialectModels,
    recentImages,
    recentPredictions,
    feedback,
    site: {
      version: VERSION,
      pad: padModel(config),
      get classifies() {
        const own = dialects.find(({ setting }) => setting === 'vggModel')
        return own !== undefined && dialectModels.of(own) !== undefined
      },
    },
    async close() {
      history.close()
      recentImages.close()
      await Promise.all([api.close(), feedback.close()])
    },
  }
}

/** Adds a dialect and its routes to the service. */
export function speak(service: Service, dialect: Dialect<Service>): void {
  service.dialects.push(dialect)
  dialect.routes(service)
}
