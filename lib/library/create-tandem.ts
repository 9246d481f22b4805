import { pino } from 'pino'
import { writeProgress } from '../models/model-progress.ts'
import { type LibrarySettings, libraryConfig, type WantedModel } from './library-config.ts'
import { openTandem } from './open-tandem.ts'
import type { Tandem } from './tandem.ts'

export type { LibrarySettings, WantedModel } from './library-config.ts'
export type { KoaContext, KoaMiddleware, MountOptions } from './mounted.ts'
export type { Picture } from './read-picture.ts'
export type {
  Classified,
  ClassifiedOne,
  ClassifyAllOptions,
  ClassifyOptions,
  CodedError,
  ModelInfo,
  Tandem,
} from './tandem.ts'

export interface TandemOptions extends LibrarySettings {
  readonly models: readonly WantedModel[]
  /** Called while a model is downloaded or compiled, with a few words that say what is done and how far. */
  readonly onProgress?: (model: string, word: string) => void
}

/** The caller waits: an interruption is retried, but without a network the error comes soon. */
const ATTEMPTS = 3

/**
 * Loads models, each in a child process of its own, and resolves when all are ready. Settings have the names of
 * docs/settings.md in camel case, such as `maxBatch`; the environment is not read, and nothing is printed.
 */
export async function createTandem({ models, onProgress, ...settings }: TandemOptions): Promise<Tandem> {
  const config = libraryConfig(models, settings)
  const log = pino({ level: config.logLevel, base: null })
  return openTandem(config, {
    log,
    attempts: ATTEMPTS,
    onBrokers(brokers) {
      if (onProgress === undefined) return
      for (const [model, broker] of brokers) writeProgress(broker, (word) => onProgress(model, word))
    },
  })
}
