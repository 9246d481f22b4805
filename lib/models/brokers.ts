import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Logger } from 'pino'
import { Broker } from '../../broker/broker.ts'
import type { Config } from '../config/config.ts'
import { writeProgress } from './model-progress.ts'

/** By the names of the models. */
export type Brokers = ReadonlyMap<string, Broker>

/** One Broker per model; none is started yet. `more` goes to each pipeline beside the settings. */
export function createBrokers(config: Config, more: Record<string, unknown> = {}): Brokers {
  const pipeline = pipelineUrl(config.pipeline)
  const { workers, maxBatch, maxQueue, maxQueueBytes, deadlineMs, hangTimeoutMs, drainTimeoutMs } = config
  const limits = { workers, maxBatch, maxQueue, maxQueueBytes }
  const times = { deadline: deadlineMs, hangTimeout: hangTimeoutMs, closeTimeout: drainTimeoutMs }
  const shared = {
    weightsDir: resolve(config.weightsDir),
    ...(config.weightsUrl !== '' && { weightsUrl: config.weightsUrl }),
    engine: config.engine,
    device: config.device,
    threads: threadsPerChild(config),
    // Threads that wait by spinning take the cores from each other as soon as there are two children.
    spin: workers === 1,
    maxBatch,
    maxPixels: config.maxPixels,
  }
  return new Map(
    config.models.map(({ name, path }) => {
      const options = { model: name, ...(path !== undefined && { path }), ...shared, ...more }
      return [name, new Broker({ pipeline, name, options, ...limits, ...times })]
    }),
  )
}

/** Starts every model behind the server. One that fails is tried again by its broker; the others serve meanwhile. */
export function startBrokers(brokers: Brokers, log: Logger): void {
  for (const [model, broker] of brokers) {
    const modelLog = log.child({ model })
    logEvents(broker, modelLog)
    // Lines on a terminal as well: two models would draw their bars over each other, and over the requests.
    writeProgress(broker, (word) => modelLog.info(word))
    broker.start().catch((error: unknown) => modelLog.error({ err: error }, 'model failed to start'))
  }
}

function logEvents(broker: Broker, log: Logger): void {
  broker.on('state', (change) => log.info(change, 'model state'))
  broker.on('child-start', (child) => log.info(child, 'child started'))
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

function threadsPerChild({ threads, workers }: Config): number {
  if (threads > 0) return threads
  return Math.max(1, Math.floor(availableParallelism() / workers))
}
