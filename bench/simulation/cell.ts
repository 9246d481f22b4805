import type { Clock } from './clock.ts'
import { Fifo } from './fifo.ts'

export interface CellOptions {
  /** seconds that a host computes for one image */
  readonly secondsPerImage: number
  readonly maxBatch: number
  /** calls that a host may hold */
  readonly prefetch: number
  readonly maxQueue: number
  /** seconds that the way through RabbitMQ adds to a call */
  readonly way: number
}

interface Host {
  /** the arrivals of the calls that the host holds and does not compute yet */
  readonly held: Fifo<number>
  /** calls that the host holds, with those that it computes */
  size: number
  isComputing: boolean
  isLeaving: boolean
  isListed: boolean
}

export interface CellHooks {
  /** `latency` in seconds */
  answered(latency: number): void
  /** the queue is full */
  refused(): void
}

/** One RabbitMQ with its queue, and the model hosts behind the queue. */
export class Cell {
  readonly #clock: Clock
  readonly #options: CellOptions
  readonly #hooks: CellHooks
  // The arrivals of the calls that wait in RabbitMQ.
  readonly #queue = new Fifo<number>()
  // Hosts that may get another call, in turn, as RabbitMQ serves its consumers.
  readonly #free = new Fifo<Host>()
  // Those that are not leaving.
  readonly #hosts: Host[] = []
  #held = 0

  constructor(clock: Clock, options: CellOptions, hooks: CellHooks) {
    this.#clock = clock
    this.#options = options
    this.#hooks = hooks
  }

  get hosts(): number {
    return this.#hosts.length
  }

  /** Calls without an answer: in the queue, and on hosts. */
  get pending(): number {
    return this.#queue.size + this.#held
  }

  addHost(): void {
    const host: Host = { held: new Fifo(), size: 0, isComputing: false, isLeaving: false, isListed: false }
    this.#hosts.push(host)
    this.#list(host)
    this.#fill()
  }

  /** The newest host takes no more calls, and finishes those that it has. */
  removeHost(): void {
    const host = this.#hosts.pop()
    if (host !== undefined) host.isLeaving = true
  }

  arrive(): void {
    if (this.#queue.size >= this.#options.maxQueue) {
      this.#hooks.refused()
      return
    }
    this.#queue.push(this.#clock.now)
    this.#fill()
  }

  #list(host: Host): void {
    if (host.isListed || host.isLeaving || host.size >= this.#options.prefetch) return
    host.isListed = true
    this.#free.push(host)
  }

  #fill(): void {
    while (this.#queue.size > 0) {
      const host = this.#free.shift()
      if (host === undefined) return
      host.isListed = false
      if (host.isLeaving) continue
      const arrival = this.#queue.shift() ?? this.#clock.now
      host.held.push(arrival)
      host.size++
      this.#held++
      this.#list(host)
      if (!host.isComputing) this.#compute(host)
    }
  }

  #compute(host: Host): void {
    const size = Math.min(this.#options.maxBatch, host.held.size)
    if (size === 0) return
    const batch = Array.from({ length: size }, () => host.held.shift() ?? 0)
    host.isComputing = true
    this.#clock.after(size * this.#options.secondsPerImage, () => {
      host.isComputing = false
      host.size -= size
      this.#held -= size
      for (const arrival of batch) this.#hooks.answered(this.#clock.now - arrival + this.#options.way)
      this.#list(host)
      this.#compute(host)
      this.#fill()
    })
  }
}
