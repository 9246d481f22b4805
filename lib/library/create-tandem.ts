import { pino, stdTimeFunctions } from 'pino'
import { ConfigError } from '../config/config.ts'
import { type LibrarySettings, libraryConfig, type WantedModel } from './library-config.ts'
import { openTandem } from './open-tandem.ts'
import type { Tandem } from './tandem.ts'

export type { ErrorDescription } from '../http/errors.ts'
export { describeError } from '../http/errors.ts'
export type { Features } from '../models/features.ts'
export type { Guess, Timing } from '../models/guess.ts'
export type { LibrarySetting, LibrarySettings, WantedModel } from './library-config.ts'
export type { ModelSettings } from './model-settings.ts'
export type { HttpHandler, KoaContext, KoaMiddleware, MountOptions } from './mount-options.ts'
export type { Picture } from './read-picture.ts'
export type {
  Answered,
  CallOptions,
  Classified,
  ClassifiedOne,
  ClassifyAllOptions,
  ClassifyOptions,
  CodedError,
  Embedded,
  EmbedOptions,
  ModelInfo,
  Tandem,
} from './tandem.ts'

/** A line of the log: what a service would write, such as the states of models and lines that child processes print. */
export interface LogLine {
  /** 20 debug, 30 info, 40 warn, 50 error */
  readonly level: number
  readonly time: string
  readonly msg: string
  readonly [field: string]: unknown
}

export interface TandemOptions extends LibrarySettings {
  readonly models: readonly WantedModel[]
  /**
   * Whether to wait until all models are ready; the default is true. With false, calls are refused with ERR_NOT_READY until
   * their model is ready, and a download is tried without end.
   */
  readonly wait?: boolean
  /** called while a model is downloaded or compiled: how far it is, from 0 to 1, and what is being done */
  readonly onProgress?: (
    model: string,
    progress: { readonly fraction: number; readonly word: string },
  ) => void
  /** called with each line of the log from the level of `logLevel` on; the default level is info */
  readonly onLog?: (line: LogLine) => void
}

/** The caller waits: an interruption is retried, but without a network the error comes soon. */
const ATTEMPTS = 3

/**
 * Loads models, each in a child process of its own, and resolves when all are ready. Settings have the names of
 * docs/settings.md in camel case, such as `maxBatch`; the environment is not read, and nothing is printed.
 */
export async function createTandem(options: TandemOptions): Promise<Tandem> {
  if (typeof options !== 'object' || options === null) {
    throw new ConfigError('createTandem needs an object with "models".')
  }
  const { models, wait = true, onProgress, onLog, ...settings } = options
  const config = libraryConfig(models, onLog ? { logLevel: 'info', ...settings } : settings)
  return openTandem(config, {
    log: logTo(onLog, config.logLevel),
    attempts: wait ? ATTEMPTS : undefined,
    wait,
    onBrokers(brokers) {
      if (onProgress === undefined) return
      for (const [model, broker] of brokers) {
        broker.on('progress', ({ fraction, word }) => onProgress(model, { fraction, word }))
      }
    },
  })
}

function logTo(onLog: TandemOptions['onLog'], level: string) {
  if (onLog === undefined) return pino({ level: 'silent' })
  const options = { level, base: null, timestamp: stdTimeFunctions.isoTime }
  return pino(options, { write: (line) => onLog(JSON.parse(line) as LogLine) })
}
