import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Logger } from 'pino'
import { Broker, type Calls } from '../../broker/broker.ts'
import { BrokerError } from '../../broker/errors.ts'
import type { Config } from '../config/config.ts'
import { saysWhyItWaits, writeProgress } from './model-progress.ts'
import { spareChildren } from './spare-children.ts'
import { WaitingLog } from './waiting-log.ts'

// Measured: VGG-16 takes 28 to 39 MiB for each image of a batch; other models take less.
const BYTES_PER_INPUT = 64 * 2 ** 20
// Measured: 18 for an AVIF with transparency, 11 for an interlaced PNG of 16 bits, 3 to 8 for other images.
const BYTES_PER_PIXEL = 24
// For inputs that wait in the child, memory that the allocator keeps, and the heap of JavaScript.
const FREE_BYTES = 2 ** 30

/** The calls to each model, by the model's name. */
export type Brokers = ReadonlyMap<string, Calls>

/** One Broker per model, not started yet. Each pipeline gets the options in `more` in addition to the settings. */
export function createBrokers(
  config: Config,
  more: Record<string, unknown> = {},
): ReadonlyMap<string, Broker> {
  const pipeline = pipelineUrl(config.pipeline)
  const { workers, maxBatch, maxBatchMs, maxQueue, maxQueueBytes, deadlineMs, drainTimeoutMs } = config
  const { hangTimeoutMs, prepareTimeoutMs } = config
  const limits = { workers, maxBatch, maxBatchMs, maxQueue, maxQueueBytes, maxGrowth: maxGrowth(config) }
  const spares = spareChildren(config.spareChildren)
  const times = {
    deadline: deadlineMs,
    hangTimeout: hangTimeoutMs,
    prepareTimeout: prepareTimeoutMs,
    closeTimeout: drainTimeoutMs,
  }
  return new Map(
    config.models.map((model) => {
      const { name } = model
      const options = { ...brokerOptions(config, model), ...more }
      return [name, new Broker({ pipeline, name, options, spares, ...limits, ...times })]
    }),
  )
}

/** What the pipeline of a model gets. */
export function brokerOptions(config: Config, { name, path, settings }: Config['models'][number]) {
  return {
    model: name,
    ...(path !== undefined && { path }),
    ...(settings !== undefined && { settings }),
    weightsDir: resolve(config.weightsDir),
    ...(config.weightsUrl !== '' && { weightsUrl: config.weightsUrl }),
    engine: config.engine,
    device: config.device,
    threads: threadsPerChild(config),
    // Threads that spin while they wait would take the cores from the threads of other children.
    spin: config.workers === 1,
    maxBatch: config.maxBatch,
    winograd: config.winograd,
    precision: config.precision,
    precisionAgreement: config.precisionAgreement,
    calibrates: config.tuningMs > 0 && config.pipeline === '',
    maxPixels: config.maxPixels,
    prepareTimeout: config.prepareTimeoutMs,
  }
}

/** Starts every model in the background. A broker retries a failed start; the other models serve meanwhile. */
export function startBrokers(brokers: Brokers, log: Logger): void {
  const waiting = new WaitingLog(log)
  for (const [model, broker] of brokers) {
    const modelLog = log.child({ model })
    logEvents(broker, modelLog)
    // Lines instead of bars, even on a terminal: the bars of two models would overwrite each other and the log.
    writeProgress(broker, (word) => (saysWhyItWaits(word) ? waiting.add(model, word) : modelLog.info(word)))
    logFailures(broker, modelLog)
  }
  // Imported when all children have been forked: the code that reads what they report takes 50 ms to load.
  void import('./log-info.ts').then(({ logInfo }) => {
    for (const [model, broker] of brokers) logInfo(broker, log.child({ model }))
  })
}

/** One line for the first failure, and one more each time that the model has failed again after one of its files changed. */
function logFailures(broker: Calls, log: Logger): void {
  const failed = (error: unknown) => log.error({ err: error }, 'model failed to start')
  let isFirst = true
  broker.on('state', ({ state, error }) => {
    if (state !== 'failed') return
    if (!isFirst) failed(error)
    isFirst = false
  })
  broker.start().catch((error: unknown) => {
    // The user has ended the service before the model was loaded.
    if (!(error instanceof BrokerError && error.code === 'ERR_CLOSED')) failed(error)
  })
}

function logEvents(broker: Calls, log: Logger): void {
  broker.on('state', (change) => log.info(change, 'model state'))
  broker.on('host', ({ change, ...host }) =>
    log[change === 'lost' ? 'warn' : 'info'](host, `model host ${change}`),
  )
  broker.on('child-start', (child) => log.info(child, 'child started'))
  broker.on('takeover', (child) => log.info(child, 'spare child took over'))
  broker.on('child-exit', (exit) => log[exit.expected ? 'info' : 'warn'](exit, 'child ended'))
  broker.on('log', ({ pid, stream, line }) =>
    log[stream === 'stderr' ? 'warn' : 'info']({ pid, stream }, line),
  )
}

/** The built-in pipeline has this file's own extension: .ts from the sources, .js from a build. */
function pipelineUrl(pipeline: string): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  if (pipeline === '') return new URL(`../../pipeline/make-pipeline.${extension}`, import.meta.url)
  return pipeline.startsWith('file:') ? new URL(pipeline) : pathToFileURL(resolve(pipeline))
}

/** Enough for a batch of the largest model of the catalog beside the decoding of an image of MAX_PIXELS. */
function maxGrowth({ childMemory, maxBatch, maxPixels }: Config): number {
  return childMemory || FREE_BYTES + maxBatch * BYTES_PER_INPUT + maxPixels * BYTES_PER_PIXEL
}

function threadsPerChild({ threads, workers }: Config): number {
  if (threads > 0) return threads
  return Math.max(1, Math.floor(availableParallelism() / workers))
}
