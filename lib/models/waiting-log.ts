import type { Logger } from 'pino'

/** Long enough for all models to find out that there is no network. */
const GATHER_MS = 1000

/**
 * Logs why models wait, such as for weights that cannot be downloaded. One line tells of all models that begin to wait at
 * the same time, since they mostly wait for the same reason.
 */
export class WaitingLog {
  readonly #log: Pick<Logger, 'warn'>
  readonly #gatherMs: number
  // The reasons by model, in the order in which they came.
  readonly #waiting = new Map<string, string>()

  constructor(log: Pick<Logger, 'warn'>, gatherMs = GATHER_MS) {
    this.#log = log
    this.#gatherMs = gatherMs
  }

  /** `reason` is a whole sentence. */
  add(model: string, reason: string): void {
    if (this.#waiting.size === 0) setTimeout(() => this.#write(), this.#gatherMs).unref()
    if (!this.#waiting.has(model)) this.#waiting.set(model, reason)
  }

  #write(): void {
    const [first, ...others] = this.#waiting
    this.#waiting.clear()
    if (!first) return
    const [model, reason] = first
    const names = others.map(([name]) => name).join(', ')
    const more = names === '' ? '' : ` Also waiting: ${names}; /readyz says why.`
    this.#log.warn({ model }, `${reason}${more}`)
  }
}
