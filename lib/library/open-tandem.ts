import type { Logger } from 'pino'
import type { Calls } from '../../broker/broker.ts'
import { createApp } from '../app.ts'
import type { Config } from '../config/config.ts'
import { HttpError } from '../http/errors.ts'
import { type Brokers, createBrokers } from '../models/brokers.ts'
import { type Classification, createClassifier } from '../models/classifier.ts'
import { PipelineInfos } from '../models/pipeline-info.ts'
import { createService, type Service } from '../service.ts'
import { inOrder } from './in-order.ts'
import { koaMiddleware, type MountOptions, type NodeHandler, nodeHandler } from './mounted.ts'
import { type Picture, readPicture } from './read-picture.ts'
import type {
  Classified,
  ClassifiedOne,
  ClassifyAllOptions,
  ClassifyOptions,
  CodedError,
  ModelInfo,
  Tandem,
} from './tandem.ts'

/** Two batches keep a child busy while the next pictures are read, and bound the memory. */
const BATCHES_AT_ONCE = 2
const NEVER = new AbortController().signal

export interface OpenTandemOptions {
  readonly log: Logger
  /** how often a download is tried */
  readonly attempts: number
  /** called before the models start, for instance to show their progress */
  readonly onBrokers?: ((brokers: Brokers) => void) | undefined
}

/** Starts the models. Rejects with the first failure, and then ends the others. */
export async function openTandem(config: Config, options: OpenTandemOptions): Promise<Tandem> {
  const { log, attempts, onBrokers } = options
  const brokers = createBrokers(config, { attempts })
  onBrokers?.(brokers)
  try {
    await Promise.all([...brokers.values()].map((broker) => broker.start()))
  } catch (error) {
    // The brokers would try again for ever.
    for (const broker of brokers.values()) broker.kill()
    throw error
  }
  return new OpenTandem(config, brokers, log)
}

class OpenTandem implements Tandem {
  readonly #config: Config
  readonly #brokers: Brokers
  readonly #log: Logger
  readonly #infos: PipelineInfos
  readonly #classifier: ReturnType<typeof createClassifier>
  /** Made when HTTP is asked for: one with pages, and one without. */
  readonly #http = new Map<boolean, { readonly service: Service; readonly handler: NodeHandler }>()

  constructor(config: Config, brokers: Brokers, log: Logger) {
    this.#config = config
    this.#brokers = brokers
    this.#log = log
    this.#infos = new PipelineInfos(brokers)
    this.#classifier = createClassifier(brokers, config, this.#infos, () => {})
  }

  get models(): readonly ModelInfo[] {
    return [...this.#brokers].map(([name, broker]) => this.#modelInfo(name, broker))
  }

  #modelInfo(name: string, broker: Calls): ModelInfo {
    const stats = broker.stats()
    const info = this.#infos.of(name, stats)
    const {
      engine = null,
      device = null,
      labels = [],
      input = null,
      version = '',
      warnings = [],
    } = info ?? {}
    return { name, state: stats.state, engine, device, labels, input, version, warnings }
  }

  async classify(model: string, picture: Picture, options: ClassifyOptions = {}): Promise<Classified> {
    const { top, threshold, signal = NEVER } = options
    this.#classifier.mustServe(model)
    if (signal.aborted)
      throw new HttpError('ERR_ABORTED', 'The caller has given up.', {}, { cause: signal.reason })
    const bytes = await readPicture(picture, this.#config, signal)
    const answer = await this.#classifier.classify(model, bytes, { top, above: threshold }, { signal })
    return classified(answer, threshold)
  }

  async *classifyAll<Input extends Picture>(
    model: string,
    pictures: Iterable<Input> | AsyncIterable<Input>,
    { concurrency = 'auto', signal, ...options }: ClassifyAllOptions = {},
  ): AsyncGenerator<ClassifiedOne<Input>, void, undefined> {
    this.#classifier.mustServe(model)
    const left = new AbortController()
    const either = signal === undefined ? left.signal : AbortSignal.any([signal, left.signal])
    const classifyOne = async (input: Input, at: number): Promise<ClassifiedOne<Input>> => {
      try {
        return { ok: true, input, at, ...(await this.classify(model, input, { ...options, signal: either })) }
      } catch (error) {
        return { ok: false, input, at, error: coded(error) }
      }
    }
    try {
      for await (const one of inOrder(pictures, this.#atOnce(concurrency), classifyOne)) {
        signal?.throwIfAborted()
        yield one
      }
    } finally {
      // The caller has left the loop: the pictures in work are not wanted any more.
      left.abort()
    }
  }

  #atOnce(concurrency: number | 'auto'): number {
    const { workers, maxBatch, maxQueue } = this.#config
    if (concurrency === 'auto') return Math.min(BATCHES_AT_ONCE * maxBatch * workers, maxQueue)
    if (Number.isInteger(concurrency) && concurrency >= 1) return concurrency
    throw new RangeError(`concurrency must be "auto" or a whole number from 1, but is ${concurrency}.`)
  }

  handler(options: MountOptions = {}) {
    return nodeHandler(this.#handler(options), options)
  }

  koa(options: MountOptions = {}) {
    return koaMiddleware(this.#handler(options), options)
  }

  /** The links of the pages have no prefix. */
  #handler({ prefix = '' }: MountOptions): NodeHandler {
    const hasPages = prefix === ''
    const known = this.#http.get(hasPages)
    if (known !== undefined) return known.handler
    const role = { brokers: this.#brokers, modelHost: undefined }
    const service = createService(this.#config, role, this.#log, { hasPages })
    const handler: NodeHandler = createApp(service, this.#log).callback()
    this.#http.set(hasPages, { service, handler })
    return handler
  }

  async close(): Promise<void> {
    const services = [...this.#http.values()].map(({ service }) => service.close())
    await Promise.all([...services, ...[...this.#brokers.values()].map((broker) => broker.close())])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function classified(answer: Classification, threshold = Number.NEGATIVE_INFINITY): Classified {
  const { model, outputs, version, timing } = answer
  // A pipeline of the user's own is not told the threshold.
  const guesses = answer.guesses?.filter(({ probability }) => probability > threshold)
  const { queue, prepare, predict, total, cached } = timing
  return {
    model,
    guesses: guesses ?? [],
    value: guesses ?? answer.value,
    ...(outputs && { outputs }),
    version,
    timing: { queue, prepare, predict, total, ...(cached && { cached }) },
  }
}

function coded(error: unknown): CodedError {
  if (!(error instanceof Error)) return Object.assign(new Error(String(error)), { code: 'ERR_INTERNAL' })
  if ('code' in error && typeof error.code === 'string') return error as CodedError
  return Object.assign(error, { code: 'ERR_INTERNAL' })
}
