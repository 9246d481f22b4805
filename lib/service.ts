import { Router } from '@koa/router'
import type { Logger } from 'pino'
import type { ModelHost } from '../fleet/fleet.ts'
import type { Config } from './config/config.ts'
import { VERSION } from './config/version.ts'
import { createFeedback, type Feedback } from './feedback/feedback.ts'
import { createSafeFetch } from './fetch/safe-fetch.ts'
import type { RequestState, ServiceState } from './http/context.ts'
import type { Dialect } from './http/dialect.ts'
import type { Served } from './http/operation.ts'
import { bodyReader } from './image/body-reader.ts'
import { createRecentImages, type RecentImages } from './image/recent-images.ts'
import { createRequestImages, type RequestImages } from './image/request-image.ts'
import type { Brokers } from './models/brokers.ts'
import type { Role } from './models/calls-of-role.ts'
import { type Classifier, createClassifier } from './models/classifier.ts'
import { createDialectModels, type DialectModels } from './models/dialect-models.ts'
import { PipelineInfos } from './models/pipeline-info.ts'
import { createPredictor, type Predictor } from './models/predictor.ts'
import { createRecentPredictions, type RecentPredictions } from './models/recent-predictions.ts'
import { padModel } from './pages/digit-pad.ts'
import type { Site } from './pages/layout.ts'
import { createMetrics, type Metrics } from './status/metrics.ts'
import { StatusHistory } from './status/status-history.ts'

/** The parts of the service. Every route gets this one value. */
export interface Service extends Served {
  readonly config: Config
  readonly brokers: Brokers
  /** what connects the models of this process to the fleet; only in the role `model` */
  readonly modelHost: ModelHost | undefined
  readonly metrics: Metrics
  readonly history: StatusHistory
  readonly state: ServiceState
  /** the served dialects, each added by `speak` */
  readonly dialects: Dialect<Service>[]
  readonly dialectModels: DialectModels
  readonly pipelineInfos: PipelineInfos
  readonly classifier: Classifier
  readonly images: RequestImages
  readonly predictor: Predictor
  readonly recentImages: RecentImages
  readonly recentPredictions: RecentPredictions
  readonly feedback: Feedback
  readonly site: Site
  /** Waits for pending writes and releases all parts but the brokers. To be called after the last request. */
  close(): Promise<void>
}

export function createService(
  config: Config,
  { brokers, modelHost }: Pick<Role, 'brokers' | 'modelHost'>,
  log: Logger,
  { hasPages = true }: { readonly hasPages?: boolean } = {},
): Service {
  const metrics = createMetrics(brokers, modelHost)
  const history = new StatusHistory(brokers, metrics)
  const pipelineInfos = new PipelineInfos(brokers)
  const classifier = createClassifier(brokers, config, pipelineInfos, metrics.countCached)
  const safeFetch = createSafeFetch(config)
  const images = createRequestImages(bodyReader(config), safeFetch, config.maxBodyBytes)
  const recentImages = createRecentImages(config)
  const recentPredictions = createRecentPredictions(config)
  const feedback = createFeedback(config, (error) => log.warn({ err: error }, 'reports cannot be stored'))
  const dialects: Dialect<Service>[] = []
  const dialectModels = createDialectModels(config, brokers, pipelineInfos)
  const keepsImages = config.keepFeedbackImages === 'on'
  return {
    router: new Router<RequestState>(),
    operations: [],
    hasPages,
    config,
    brokers,
    modelHost,
    metrics,
    history,
    state: { draining: false },
    dialects,
    dialectModels,
    pipelineInfos,
    classifier,
    images,
    predictor: createPredictor({ classifier, images, recentImages, recentPredictions, keepsImages }),
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
      await Promise.all([safeFetch.close(), feedback.close()])
    },
  }
}

/** Adds a dialect and its routes to the service. */
export function speak(service: Service, dialect: Dialect<Service>): void {
  service.dialects.push(dialect)
  dialect.routes(service)
}
