import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { BrokerError, type Calls } from '../../broker/broker.ts'
import { type Api, createApi } from '../api.ts'
import { createApiApp } from '../app.ts'
import type { Config } from '../config/config.ts'
import { HttpError, unknownModel } from '../http/errors.ts'
import type { Brokers } from '../models/brokers.ts'
import { callsOfRole, type Role } from '../models/calls-of-role.ts'
import type { Classification } from '../models/classifier.ts'
import { mustHaveFeatures, noFeatures, normalized, pooled } from '../models/features.ts'
import { roundedTiming } from '../models/timing.ts'
import { coded } from './coded.ts'
import { inOrder } from './in-order.ts'
import type { MountOptions } from './mount-options.ts'
import { httpHandler, koaMiddleware, type Mounted } from './mounted.ts'
import { type Download, type Picture, readPicture } from './read-picture.ts'
import type {
  CallOptions,
  Classified,
  ClassifiedOne,
  ClassifyAllOptions,
  ClassifyOptions,
  Embedded,
  EmbedOptions,
  ModelInfo,
  Tandem,
} from './tandem.ts'
import { untilRoom } from './until-room.ts'

export interface OpenTandemOptions {
  readonly log: Logger
  /** how often a download is tried; without it, there is no limit */
  readonly attempts?: number | undefined
  /** whether to wait until all models are ready */
  readonly wait?: boolean | undefined
  /** how addresses are downloaded; when left out, with the guards of the service */
  readonly download?: Download | undefined
  /** called before the models start, for instance to show their progress */
  readonly onBrokers?: ((brokers: Brokers) => void) | undefined
}

/** Starts the models. Rejects with the first failure, and then ends the others. */
export async function openTandem(config: Config, options: OpenTandemOptions): Promise<Tandem> {
  const { log, attempts, onBrokers, wait = true } = options
  const role = await callsOfRole(config, log, attempts === undefined ? {} : { attempts })
  onBrokers?.(role.brokers)
  const tandem = new OpenTandem(config, role, options)
  role.start()
  if (!wait) return tandem
  try {
    await tandem.ready()
    return tandem
  } catch (error) {
    tandem.kill()
    throw error
  }
}

class OpenTandem implements Tandem {
  readonly #config: Config
  readonly #role: Role
  readonly #brokers: Brokers
  readonly #log: Logger
  readonly #api: Api
  readonly #download: Download
  // Made when HTTP is asked for.
  #mounted: Mounted | undefined
  #closing: Promise<void> | undefined
  // Calls that have not ended, also those whose picture is still being read.
  readonly #calls = new Set<Promise<unknown>>()

  constructor(config: Config, role: Role, { log, download }: OpenTandemOptions) {
    this.#config = config
    this.#role = role
    this.#brokers = role.brokers
    this.#log = log
    this.#api = createApi(config, role)
    this.#download = download ?? ((address, signal) => this.#api.images.fetch(address, signal))
  }

  get models(): readonly ModelInfo[] {
    return [...this.#brokers].map(([name, broker]) => this.#modelInfo(name, broker))
  }

  async ready(): Promise<void> {
    await Promise.all([...this.#brokers.values()].map((broker) => broker.start()))
  }

  classify(model: string, picture: Picture, options: ClassifyOptions = {}): Promise<Classified> {
    return this.#begin(options, (signal) => this.#classify(model, picture, options, signal))
  }

  async *classifyAll<Input extends Picture>(
    model: string,
    pictures: Iterable<Input> | AsyncIterable<Input>,
    { concurrency = 'auto', signal, ...options }: ClassifyAllOptions = {},
  ): AsyncGenerator<ClassifiedOne<Input>, void, undefined> {
    const broker = this.#brokerOf(model)
    const left = new AbortController()
    const both = signal ? [signal, left.signal] : [left.signal]
    const one = async (input: Input, at: number): Promise<ClassifiedOne<Input>> => {
      const either = AbortSignal.any(both)
      const classify = () => this.classify(model, input, { ...options, signal: either })
      try {
        return { ok: true, input, at, ...(await untilRoom(classify, this.#config.deadlineMs, either)) }
      } catch (error) {
        return { ok: false, input, at, error: coded(error) }
      }
    }
    try {
      for await (const result of inOrder(pictures, this.#atOnce(concurrency, broker), one)) {
        if (signal?.aborted) throw givenUp(signal)
        yield result
      }
    } finally {
      // The caller has left the loop: the pictures in work are not wanted any more.
      left.abort()
    }
  }

  embed(model: string, picture: Picture, options: EmbedOptions = {}): Promise<Embedded> {
    return this.#begin(options, async (signal) => {
      this.#api.classifier.mustServe(model)
      // Known before the picture is read; a pipeline of the user's own does not tell.
      if (this.#api.pipelineInfos.of(model)?.output?.kind === 'classes') throw noFeatures(model)
      const answer = await this.#answer(model, picture, {}, signal)
      const found = mustHaveFeatures(answer)
      const vector = options.pool === 'mean' ? pooled(found) : found
      return { ...about(answer), ...(options.normalize ? normalized(vector) : vector) }
    })
  }

  call<Result = unknown>(model: string, input: unknown, options: CallOptions = {}): Promise<Result> {
    return this.#begin(options, async (signal) => {
      if (this.#config.pipeline === '') {
        throw new BrokerError('ERR_OPTION', 'call() needs a pipeline of your own: the setting "pipeline".')
      }
      return this.#brokerOf(model).call<Result>('predict', input, { signal })
    })
  }

  handler(options: MountOptions = {}) {
    return httpHandler(this.#http(), options)
  }

  koa(options: MountOptions = {}) {
    return koaMiddleware(this.#http(), options)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  kill(): void {
    this.#role.modelHost?.kill()
    for (const broker of this.#brokers.values()) broker.kill()
    void this.close()
  }

  async #classify(model: string, picture: Picture, options: ClassifyOptions, signal: AbortSignal) {
    const { top, threshold, onPosition } = options
    mustBeCount('top', top)
    mustBeShare('threshold', threshold)
    this.#api.classifier.mustServe(model)
    const answer = await this.#answer(model, picture, { top, above: threshold }, signal, onPosition)
    // A pipeline of the user's own is not told the threshold.
    const guesses = answer.guesses?.filter(
      ({ probability }) => probability > (threshold ?? Number.NEGATIVE_INFINITY),
    )
    return { ...about(answer), guesses: guesses ?? [], value: guesses ?? answer.value }
  }

  async #answer(
    model: string,
    picture: Picture,
    wanted: { readonly top?: number | undefined; readonly above?: number | undefined },
    signal: AbortSignal,
    onPosition?: (position: number) => void,
  ): Promise<Classification> {
    const bytes = await readPicture(picture, this.#config, signal, this.#download)
    return this.#api.classifier.classify(model, bytes, wanted, { signal, onPosition })
  }

  #modelInfo(name: string, broker: Calls): ModelInfo {
    const stats = broker.stats()
    const info = this.#api.pipelineInfos.of(name, stats)
    return {
      name,
      state: stats.state,
      error: stats.error,
      progress: stats.progress,
      engine: info?.engine ?? null,
      device: info?.device ?? null,
      labels: info?.labels ?? [],
      input: info?.input ?? null,
      version: info?.version ?? '',
      warnings: info?.warnings ?? [],
    }
  }

  #brokerOf(model: string): Calls {
    const broker = this.#brokers.get(model)
    if (broker === undefined) throw unknownModel(model)
    return broker
  }

  /** What the children can hold, and a batch that is being read meanwhile. */
  #atOnce(concurrency: number | 'auto', broker: Calls): number {
    const { maxBatch, maxQueue } = this.#config
    if (concurrency === 'auto') return broker.stats().capacity + Math.min(maxBatch, maxQueue)
    mustBeCount('concurrency', concurrency)
    return concurrency
  }

  #http(): Mounted {
    if (this.#mounted === undefined) {
      const { router } = this.#api
      const app = createApiApp(this.#api, this.#log)
      this.#mounted = { app, serves: (path) => router.match(path, 'GET').path.length > 0 }
    }
    return this.#mounted
  }

  async #begin<Value>(
    { signal }: CallOptions,
    work: (signal: AbortSignal) => Promise<Value>,
  ): Promise<Value> {
    const call = withCode(signal, (own) => {
      if (this.#closing) throw new BrokerError('ERR_CLOSED', 'This instance of Tandem is closed.')
      return work(own)
    })
    this.#calls.add(call)
    try {
      return await call
    } finally {
      this.#calls.delete(call)
    }
  }

  async #close(): Promise<void> {
    const end = performance.now() + this.#config.drainTimeoutMs
    const left = () => Math.max(0, Math.ceil(end - performance.now()))
    this.#api.state.draining = true
    await Promise.all([this.#role.modelHost?.close({ timeout: left() }), within(left(), this.#calls)])
    const brokers = [...this.#brokers.values()].map((broker) => broker.close({ timeout: left() }))
    await Promise.all([this.#api.close(), ...brokers])
  }
}

/** Waits for all calls to end, but no longer than `ms`. */
async function within(ms: number, calls: Iterable<Promise<unknown>>): Promise<void> {
  const timer = new AbortController()
  const isOver = delay(ms, undefined, { signal: timer.signal }).catch(() => {})
  await Promise.race([Promise.allSettled(calls), isOver])
  timer.abort()
}

function about({ model, version, outputs, timing }: Classification) {
  return { model, version, ...(outputs && { outputs }), timing: roundedTiming(timing) }
}

/** Every rejection has a code. An abort has always the same one, wherever the call was. */
async function withCode<Value>(
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  try {
    mustBeSignal(signal)
    // A signal of its own for each call: Node prints a warning when many calls listen to one signal.
    return await work(AbortSignal.any(signal ? [signal] : []))
  } catch (error) {
    throw signal?.aborted ? givenUp(signal) : coded(error)
  }
}

function mustBeSignal(signal: unknown): void {
  if (signal === undefined || signal instanceof AbortSignal) return
  throw new HttpError('ERR_BAD_REQUEST', 'signal must be an AbortSignal.')
}

function givenUp({ reason }: AbortSignal): HttpError {
  return new HttpError('ERR_ABORTED', 'The caller has given the call up.', {}, { cause: reason })
}

function mustBeCount(name: string, value: unknown): void {
  if (value === undefined || (Number.isSafeInteger(value) && Number(value) >= 1)) return
  throw new HttpError('ERR_BAD_REQUEST', `${name} must be a whole number of at least 1, but is ${value}.`)
}

function mustBeShare(name: string, value: unknown): void {
  if (value === undefined || (typeof value === 'number' && value >= 0 && value <= 1)) return
  throw new HttpError('ERR_BAD_REQUEST', `${name} must be a number from 0 to 1, but is ${value}.`)
}
