import type { Logger } from 'pino'
import type { Broker } from '../../broker/broker.ts'
import type { Config } from '../config/config.ts'
import { brokerOptions } from './brokers.ts'
import { saysWhyItWaits } from './model-progress.ts'
import { readPipelineInfo } from './pipeline-info.ts'
import { type TuneAnswer, tuningBroker } from './tuning-broker.ts'

/** Nothing to do in this time: the service is idle. */
const IDLE_MS = 1_000
const LOOK_EVERY_MS = 250
/** Compiling takes up to 1.2 GB. */
const NEEDED_BYTES = 1.5 * 2 ** 30

/**
 * Tunes the models that have not been tuned on this machine, one after the other, while the service is idle. The measurements
 * are made in a child process of the lowest priority. Then the children of the model are renewed, and open the tuned graph.
 */
export class Tuner {
  readonly #brokers: ReadonlyMap<string, Broker>
  readonly #config: Config
  readonly #log: Logger
  // Models that wait, are being tuned, or have been tuned: each is tuned once.
  readonly #known = new Set<string>()
  #turn: Promise<void> = Promise.resolve()
  // The last end of a call, or change of a model's state.
  #lastWorkAt = 0
  #calls = 0
  #current: Broker | undefined
  #isClosed = false

  constructor(brokers: ReadonlyMap<string, Broker>, config: Config, log: Logger) {
    this.#brokers = brokers
    this.#config = config
    this.#log = log
  }

  start(): void {
    for (const [model, broker] of this.#brokers) {
      broker.on('call', () => {
        this.#lastWorkAt = performance.now()
        this.#calls++
      })
      broker.on('info', () => this.#look(model, broker))
      broker.on('state', ({ state }) => this.#note(state))
      // Some may have been started, or even closed, before.
      this.#note(broker.stats().state)
      this.#look(model, broker)
    }
  }

  /** Ends a tuning in progress: another start begins anew. */
  close(): void {
    this.#isClosed = true
    this.#current?.kill()
  }

  #note(state: string): void {
    this.#lastWorkAt = performance.now()
    if (state === 'closing' || state === 'closed') this.close()
  }

  #look(model: string, broker: Broker): void {
    if (readPipelineInfo(broker.stats()).tuning?.state !== 'wanted' || this.#known.has(model)) return
    this.#known.add(model)
    this.#turn = this.#turn.then(() => this.#tuneSafely(model, broker))
  }

  async #tuneSafely(model: string, broker: Broker): Promise<void> {
    const log = this.#log.child({ model })
    try {
      await this.#tune(model, broker, log)
    } catch (error) {
      if (!this.#isClosed) log.warn({ err: error }, 'tuning failed: the model is served as it is')
    }
  }

  async #tune(model: string, broker: Broker, log: Logger): Promise<void> {
    const choice = this.#config.models.find(({ name }) => name === model)
    if (!choice || !(await this.#idle())) return
    log.info('tuning begins')
    const tuning = tuningBroker(this.#config, choice, brokerOptions(this.#config, choice))
    this.#current = tuning
    try {
      await tuning.start()
      const answer = await this.#allSteps(tuning)
      if (!answer?.done || this.#isClosed) return
      log.info({ batches: answer.tuning.batches }, answer.sentence ?? 'tuning has found nothing faster')
    } finally {
      this.#current = undefined
      tuning.kill()
    }
    await broker.renew()
    if (!this.#isClosed) log.info('tuned model serves')
  }

  async #allSteps(tuning: Broker): Promise<TuneAnswer | undefined> {
    let disturbed = false
    while (await this.#idle()) {
      const before = this.#calls
      const answer: TuneAnswer = await tuning.call('step', { disturbed })
      if (answer.done) return answer
      disturbed = this.#calls !== before || this.#isBusy()
    }
    return undefined
  }

  /** Resolves when the service is idle; false when it has been closed. */
  async #idle(): Promise<boolean> {
    for (;;) {
      if (this.#isClosed) return false
      const isQuiet = !this.#isBusy() && performance.now() - this.#lastWorkAt >= IDLE_MS
      if (isQuiet && process.availableMemory() >= NEEDED_BYTES) return true
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS).unref())
    }
  }

  #isBusy(): boolean {
    return [...this.#brokers.values()].some((broker) => {
      const { state, progress, inFlight, queued, spares } = broker.stats()
      // Without a network, a model waits for its weights as long as the service runs, and takes no cores.
      const waits = progress !== null && saysWhyItWaits(progress.word)
      const isStarting = state === 'restarting' || (state === 'starting' && !waits)
      return isStarting || inFlight + queued > 0 || spares.some(({ state }) => state === 'starting')
    })
  }
}
