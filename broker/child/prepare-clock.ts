// The limit is counted in so many ticks. A tick that comes late, because a prediction has blocked the event loop, counts
// once: a preparation that ended meanwhile could not say so.
const TICKS = 20

/** Times the running preparations and reports those that take too long. */
export class PrepareClock {
  readonly #tickMs: number
  readonly #overdue: (keys: string[]) => void
  // The ticks that each running preparation has seen.
  readonly #ages = new Map<string, number>()
  // Runs only while there is a preparation.
  #timer: NodeJS.Timeout | undefined

  constructor(timeout: number, overdue: (keys: string[]) => void) {
    this.#tickMs = Math.ceil(timeout / TICKS)
    this.#overdue = overdue
  }

  /** The keys of the running preparations. */
  get running(): string[] {
    return [...this.#ages.keys()]
  }

  /** Begins, or begins anew. */
  start(key: string): void {
    this.#ages.set(key, 0)
    this.#timer ??= setInterval(() => this.#tick(), this.#tickMs)
  }

  /** Begins anew, unless the preparation has ended. */
  restart(key: string): void {
    if (this.#ages.has(key)) this.#ages.set(key, 0)
  }

  stop(key: string): void {
    this.#ages.delete(key)
    if (this.#ages.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #tick(): void {
    const overdue = []
    for (const [key, age] of this.#ages) {
      this.#ages.set(key, age + 1)
      if (age >= TICKS) overdue.push(key)
    }
    if (overdue.length > 0) this.#overdue(overdue)
  }
}
