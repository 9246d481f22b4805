import type { Broker } from '../../broker/broker.ts'
import { saysWhyItWaits } from './model-progress.ts'

/** Nothing to do in this time: the service is idle. */
const IDLE_MS = 1_000
const LOOK_EVERY_MS = 250

/** Knows when no model has anything to do. */
export class IdleTime {
  readonly #brokers: ReadonlyMap<string, Broker>
  // The last end of a call, or change of a model's state.
  #lastWorkAt = 0
  #calls = 0
  #isClosed = false

  constructor(brokers: ReadonlyMap<string, Broker>) {
    this.#brokers = brokers
    for (const broker of brokers.values()) {
      broker.on('call', () => {
        this.note()
        this.#calls++
      })
      broker.on('state', () => this.note())
    }
  }

  /** How many have ended, of all models: another number tells that the time between was not idle. */
  get calls(): number {
    return this.#calls
  }

  note(): void {
    this.#lastWorkAt = performance.now()
  }

  close(): void {
    this.#isClosed = true
  }

  /** Resolves when the service is idle and so much memory is free; false when the service has been closed. */
  async begin(neededBytes: number): Promise<boolean> {
    for (;;) {
      if (this.#isClosed) return false
      const isQuiet = !this.isBusy() && performance.now() - this.#lastWorkAt >= IDLE_MS
      if (isQuiet && process.availableMemory() >= neededBytes) return true
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS).unref())
    }
  }

  isBusy(): boolean {
    return [...this.#brokers.values()].some((broker) => {
      const { state, progress, inFlight, queued, spares } = broker.stats()
      // Without a network, a model waits for its weights as long as the service runs, and takes no cores.
      const waits = progress !== null && saysWhyItWaits(progress.word)
      const isStarting = state === 'restarting' || (state === 'starting' && !waits)
      return isStarting || inFlight + queued > 0 || spares.some(({ state }) => state === 'starting')
    })
  }
}
