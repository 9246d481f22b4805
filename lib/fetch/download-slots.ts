import { queueFull } from './failures.ts'
import { stoppable } from './stoppable.ts'

/** Waiters per slot. At a second per download the last one still has its turn within half of the usual 10 s. */
const WAITING_PER_SLOT = 4

interface Waiter {
  readonly host: string
  readonly begin: () => void
}

/** Runs downloads, so many at once and so many of one host; the others wait their turn. */
export class DownloadSlots {
  readonly #maxFetches: number
  readonly #maxPerHost: number
  /** running downloads by host; a host without any has no entry */
  readonly #running = new Map<string, number>()
  /** the sum of them all */
  #total = 0
  /** in order of arrival; none of them could begin now */
  readonly #waiting: Waiter[] = []

  constructor(maxFetches: number, maxPerHost: number) {
    this.#maxFetches = maxFetches
    this.#maxPerHost = maxPerHost
  }

  async run<T>(host: string, signal: AbortSignal, download: () => Promise<T>): Promise<T> {
    await this.#turn(host, signal)
    try {
      return await download()
    } finally {
      this.#leave(host)
    }
  }

  #turn(host: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#hasRoom(host)) {
      this.#enter(host)
      return Promise.resolve()
    }
    this.#refuseIfFull(host)
    return stoppable(signal, (resolve) => {
      const waiter = { host, begin: resolve }
      this.#waiting.push(waiter)
      return (began) => {
        if (!began) this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
      }
    })
  }

  /** One slow host may fill half of the waiting room and never all of it. */
  #refuseIfFull(host: string): void {
    const most = WAITING_PER_SLOT * this.#maxFetches
    const ofHost = this.#waiting.filter((waiter) => waiter.host === host).length
    if (this.#waiting.length < most && ofHost < most / 2) return
    throw queueFull(
      `Too many downloads of images wait already (${ofHost} of this host, ${this.#waiting.length} in all).`,
    )
  }

  #hasRoom(host: string): boolean {
    return this.#total < this.#maxFetches && (this.#running.get(host) ?? 0) < this.#maxPerHost
  }

  #enter(host: string): void {
    this.#total++
    this.#running.set(host, (this.#running.get(host) ?? 0) + 1)
  }

  #leave(host: string): void {
    this.#total--
    const left = (this.#running.get(host) ?? 0) - 1
    if (left > 0) this.#running.set(host, left)
    else this.#running.delete(host)
    this.#beginNext()
  }

  /** One has left, so at most one can begin: the first whose host has room, past those whose host has none. */
  #beginNext(): void {
    const index = this.#waiting.findIndex(({ host }) => this.#hasRoom(host))
    const [waiter] = index < 0 ? [] : this.#waiting.splice(index, 1)
    if (waiter === undefined) return
    // The slot is taken here and not when the waiter wakes up, so that nobody slips in between.
    this.#enter(waiter.host)
    waiter.begin()
  }
}
