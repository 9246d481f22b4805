import type { Logger } from 'pino'
import type { Broker } from '../../broker/broker.ts'
import type { Config } from '../config/config.ts'
import { brokerOptions } from './brokers.ts'
import { IdleTime } from './idle-time.ts'
import { type CalibrateAnswer, calibratingBroker, type TuneAnswer, tuningBroker } from './improving-broker.ts'
import { MissingPictures } from './missing-pictures.ts'
import { readPipelineInfo } from './pipeline-info.ts'

/** Compiling takes up to 1.2 GB. */
const NEEDED_BYTES = 1.5 * 2 ** 30

type Work = (model: string, broker: Broker, log: Logger) => Promise<void>

/**
 * Makes models faster while the service is idle, one after the other: measures those that have not been tuned on this
 * machine, and quantizes those that have collected pictures for it. Both happen in a child process of the lowest priority.
 * Then the children of the model are renewed, and open what was found.
 */
export class Tuner {
  readonly #brokers: ReadonlyMap<string, Broker>
  readonly #config: Config
  readonly #log: Logger
  readonly #idle: IdleTime
  readonly #pictures: MissingPictures
  // Models that wait, are being tuned, or have been tuned: each is tuned once.
  readonly #tuned = new Set<string>()
  // The same for calibrations.
  readonly #calibrated = new Set<string>()
  #turn: Promise<void> = Promise.resolve()
  #current: Broker | undefined
  #isClosed = false

  constructor(brokers: ReadonlyMap<string, Broker>, config: Config, log: Logger) {
    this.#brokers = brokers
    this.#config = config
    this.#log = log
    this.#idle = new IdleTime(brokers)
    this.#pictures = new MissingPictures(brokers, (model, broker) => {
      this.#queue(model, broker, (...parts) => this.#calibrate(...parts), 'calibration failed')
    })
  }

  start(): void {
    for (const [model, broker] of this.#brokers) {
      broker.on('info', () => this.#look(model, broker))
      broker.on('state', ({ state }) => this.#closeIf(state))
      // Some may have been started, or even closed, before.
      this.#idle.note()
      this.#closeIf(broker.stats().state)
      this.#look(model, broker)
    }
  }

  /** Ends what is in progress: another start begins anew. */
  close(): void {
    this.#isClosed = true
    this.#idle.close()
    this.#current?.kill()
  }

  #closeIf(state: string): void {
    if (state === 'closing' || state === 'closed') this.close()
  }

  #look(model: string, broker: Broker): void {
    if (readPipelineInfo(broker.stats()).tuning?.state !== 'wanted' || this.#tuned.has(model)) return
    this.#tuned.add(model)
    this.#queue(model, broker, (...parts) => this.#tune(...parts), 'tuning failed')
  }

  #queue(model: string, broker: Broker, work: Work, failed: string): void {
    const log = this.#log.child({ model })
    this.#turn = this.#turn.then(async () => {
      try {
        if (await this.#idle.begin(NEEDED_BYTES)) await work(model, broker, log)
      } catch (error) {
        if (!this.#isClosed) log.warn({ err: error }, `${failed}: the model is served as it is`)
      }
    })
  }

  async #tune(model: string, broker: Broker, log: Logger): Promise<void> {
    log.info('tuning begins')
    const answer = await this.#inChild<TuneAnswer>(model, tuningBroker)
    if (!answer) return
    log.info({ batches: answer.tuning.batches }, answer.sentence ?? 'tuning has found nothing faster')
    await broker.renew()
    if (!this.#isClosed) log.info('tuned model serves')
  }

  async #calibrate(model: string, broker: Broker, log: Logger): Promise<void> {
    const { calibration: wanted } = readPipelineInfo(broker.stats())
    // Pictures may have been enough before, and another child serves now.
    if (wanted === null || this.#calibrated.has(model)) return
    const { count } = await sampleOf(broker, 0)
    if (count < wanted) {
      log.debug({ pictures: count, wanted }, 'calibration waits for other pictures')
      return this.#pictures.wait(model, wanted - count)
    }
    this.#calibrated.add(model)
    log.info({ pictures: count }, 'calibration begins')
    const answer = await this.#inChild<CalibrateAnswer>(model, calibratingBroker, (child) =>
      bringPictures(broker, child),
    )
    if (!answer) return
    log.info('calibration ends')
    // New children also warn of a model that is not good enough.
    await broker.renew()
    if (answer.sentence !== null && !this.#isClosed) log.info('int8 model serves')
  }

  /** The last answer of a child that improves the model; undefined if the service has been closed before. */
  async #inChild<Answer extends { readonly done: boolean }>(
    model: string,
    open: typeof tuningBroker,
    bring?: (child: Broker) => Promise<void>,
  ): Promise<Extract<Answer, { done: true }> | undefined> {
    const choice = this.#config.models.find(({ name }) => name === model)
    if (!choice) return undefined
    const child = open(this.#config, model, brokerOptions(this.#config, choice))
    this.#current = child
    try {
      await child.start()
      await bring?.(child)
      const answer = await this.#allSteps<Answer>(child)
      return this.#isClosed ? undefined : answer
    } finally {
      this.#current = undefined
      child.kill()
    }
  }

  async #allSteps<Answer extends { readonly done: boolean }>(
    child: Broker,
  ): Promise<Extract<Answer, { done: true }> | undefined> {
    let disturbed = false
    while (await this.#idle.begin(NEEDED_BYTES)) {
      const before = this.#idle.calls
      const answer = await child.call<Answer>('step', { disturbed })
      if (answer.done) return answer as Extract<Answer, { done: true }>
      disturbed = this.#idle.calls !== before || this.#idle.isBusy()
    }
    return undefined
  }
}

interface SamplePart {
  /** Of all pictures. */
  readonly count: number
  readonly pictures: readonly Uint8Array[]
}

/** The service's own call, and so neither work nor a figure. */
const sampleOf = (broker: Broker, from: number) =>
  broker.call<SamplePart>('sample', { from }, { silent: true })

/** In parts, so that no message of many megabytes blocks the event loop. */
async function bringPictures(from: Broker, to: Broker): Promise<void> {
  for (let brought = 0; ; ) {
    const { pictures } = await sampleOf(from, brought)
    if (pictures.length === 0) return
    await to.call('add', pictures)
    brought += pictures.length
  }
}
