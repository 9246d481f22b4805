import type { Delivery } from './port.ts'

/** A call that this host holds. */
export interface Job {
  readonly key: string
  readonly pipeline: string
  readonly method: string
  readonly body: Uint8Array
  /** as in the last delivery: the caller may have lost its queue of replies */
  replyTo: string
  /** on the monotonic clock */
  readonly endsAt: number
  /** true if another host has died over this call, or has lost its connection */
  readonly isSuspect: boolean
  readonly controller: AbortController
  /** the deliveries of this call that are not acknowledged: more than one after a lost connection */
  deliveries: Delivery[]
  isRunning: boolean
  /** true for a suspect from the moment that it runs: RabbitMQ must not deliver it to a third host */
  isAlone: boolean
}

/**
 * Which job begins when. Jobs begin at once, as the prefetch bounds their number. A suspect runs alone in the whole host,
 * so that an input that kills hosts takes no other call with it.
 */
export class Jobs {
  readonly #all = new Map<string, Job>()
  // In order; jobs in neither list are running.
  readonly #waiting = new Set<Job>()
  readonly #suspects = new Set<Job>()
  readonly #begin: (job: Job) => void
  #running = 0

  constructor(begin: (job: Job) => void) {
    this.#begin = begin
  }

  get size(): number {
    return this.#all.size
  }

  get(key: string): Job | undefined {
    return this.#all.get(key)
  }

  [Symbol.iterator](): IterableIterator<Job> {
    return this.#all.values()
  }

  add(job: Job): void {
    this.#all.set(job.key, job)
    ;(job.isSuspect ? this.#suspects : this.#waiting).add(job)
    this.#next()
  }

  /** The job has ended, or is dropped. */
  remove(job: Job): void {
    if (!this.#all.delete(job.key)) return
    this.#waiting.delete(job)
    this.#suspects.delete(job)
    if (job.isRunning) this.#running--
    this.#next()
  }

  /** For a lost connection: RabbitMQ delivers these jobs again. */
  forgetWaiting(): void {
    for (const { key } of [...this.#waiting, ...this.#suspects]) this.#all.delete(key)
    this.#waiting.clear()
    this.#suspects.clear()
  }

  #next(): void {
    const [suspect] = this.#suspects
    if (suspect) {
      if (this.#running > 0) return
      suspect.isAlone = true
      this.#start(suspect, this.#suspects)
      return
    }
    const isAlone = this.#running === 1 && [...this.#all.values()].some(({ isAlone }) => isAlone)
    if (isAlone) return
    for (const job of this.#waiting) this.#start(job, this.#waiting)
  }

  #start(job: Job, list: Set<Job>): void {
    list.delete(job)
    job.isRunning = true
    this.#running++
    this.#begin(job)
  }
}
