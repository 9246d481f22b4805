import { Router } from '@koa/router'
import type { ModelHost } from '../fleet/fleet.ts'
import type { Config } from './config/config.ts'
import { createSafeFetch } from './fetch/safe-fetch.ts'
import type { RequestState, ServiceState } from './http/context.ts'
import type { Served } from './http/operation.ts'
import { bodyReader } from './image/body-reader.ts'
import { createRequestImages, type RequestImages } from './image/request-image.ts'
import type { AnswerCacheOptions } from './models/answer-cache.ts'
import type { Brokers } from './models/brokers.ts'
import type { Role } from './models/calls-of-role.ts'
import { type Classifier, createClassifier } from './models/classifier.ts'
import { PipelineInfos } from './models/pipeline-info.ts'
import { createPredictor, type Predictor, type PredictorMemory } from './models/predictor.ts'

/** The parts that classify images. A program that uses Tandem as a library has these alone. */
export interface Api extends Served {
  readonly config: Config
  readonly brokers: Brokers
  /** what connects the models of this process to the fleet; only in the role `model` */
  readonly modelHost: ModelHost | undefined
  readonly state: ServiceState
  readonly pipelineInfos: PipelineInfos
  readonly classifier: Classifier
  readonly images: RequestImages
  readonly predictor: Predictor
  /** Releases all parts but the brokers. To be called after the last request. */
  close(): Promise<void>
}

export interface ApiHooks {
  readonly memory?: PredictorMemory
  /** counts where each answer came from */
  readonly countCached?: AnswerCacheOptions['count']
}

export function createApi(
  config: Config,
  { brokers, modelHost }: Pick<Role, 'brokers' | 'modelHost'>,
  { memory, countCached = () => {} }: ApiHooks = {},
): Api {
  const pipelineInfos = new PipelineInfos(brokers)
  const classifier = createClassifier(brokers, config, pipelineInfos, countCached)
  const safeFetch = createSafeFetch(config)
  const images = createRequestImages(bodyReader(config), safeFetch, config.maxBodyBytes)
  return {
    router: new Router<RequestState>(),
    operations: [],
    config,
    brokers,
    modelHost,
    state: { draining: false },
    pipelineInfos,
    classifier,
    images,
    predictor: createPredictor({ classifier, images, ...(memory && { memory }) }),
    close: () => safeFetch.close(),
  }
}
