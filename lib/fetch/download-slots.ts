import { queueFull } from './failures.ts'
import { stoppable } from './stoppable.ts'

/** Waiters per slot. At one second per download, the last one starts after 5 s, half of the default FETCH_TIMEOUT_MS. */
const WAITING_PER_SLOT = 4

interface Waiter {
  readonly host: string
  readonly begin: () => void
}

/** Limits the downloads that run at once, in all and per host; the others wait in order. */
export class DownloadSlots {
  readonly #maxFetches: number
  readonly #maxPerHost: number
  /** running downloads by host; a host without downloads has no entry */
  readonly #running = new Map<string, number>()
  /** the sum of #running */
  #total = 0
  /** in order of arrival; no waiter in here could begin now */
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

  /** One slow host may fill at most half of the waiting list. */
  #refuseIfFull(host: string): void {
    const most = WAITING_PER_SLOT * this.#maxFetches
    const ofHost = this.#waiting.filter((waiter) => waiter.host === host).length
    if (this.#waiting.length < most && ofHost < most / 2) return
    throw queueFull(
      `Too many image downloads are waiting (${ofHost} of this host, ${this.#waiting.length} of ${most} in all).`,
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

  /** One download has ended, so at most one can begin: the first waiter whose host has room. */
  #beginNext(): void {
    const index = this.#waiting.findIndex(({ host }) => this.#hasRoom(host))
    const [waiter] = index < 0 ? [] : this.#waiting.splice(index, 1)
    if (waiter === undefined) return
    // The slot is taken here and not when the waiter wakes up, so that no other download can take it in between.
    this.#enter(waiter.host)
    waiter.begin()
  }
}
