import type { Port } from './port.ts'

/** Two looks in a row must find a reply queue without a consumer: a web host may be connecting again. */
const LOOKS = 2

/**
 * Which web hosts are gone. A web host that is there consumes its reply queue. If one comes back, it publishes its calls
 * again, so that calls may be dropped whenever it is not there.
 */
export class Callers {
  readonly #port: Port
  // By reply queue: in how many looks in a row it had no consumer. Infinity: the queue has gone, and never comes back.
  readonly #missed = new Map<string, number>()

  constructor(port: Port) {
    this.#port = port
  }

  isGone(replyTo: string): boolean {
    return (this.#missed.get(replyTo) ?? 0) >= LOOKS
  }

  /** A reply could not be delivered. */
  gone(replyTo: string): void {
    this.#missed.set(replyTo, Number.POSITIVE_INFINITY)
  }

  /** Looks at the reply queues of these web hosts, and forgets all others. */
  async look(replyTos: Iterable<string>): Promise<void> {
    const current = new Set(replyTos)
    for (const known of this.#missed.keys())
      if (!current.has(known) && !this.isGone(known)) this.#missed.delete(known)
    for (const replyTo of current) await this.isThere(replyTo)
  }

  async isThere(replyTo: string): Promise<boolean> {
    const missed = this.#missed.get(replyTo) ?? 0
    if (missed === Number.POSITIVE_INFINITY) return false
    const found = await this.#port.look(replyTo).catch(() => 'unknown' as const)
    // The connection was lost: nothing is known.
    if (found === 'unknown') return true
    if (found === undefined) this.gone(replyTo)
    else if (found.consumers === 0) this.#missed.set(replyTo, missed + 1)
    else this.#missed.delete(replyTo)
    this.#forgetOldest()
    return found !== undefined && found.consumers > 0
  }

  #forgetOldest(): void {
    const [oldest] = this.#missed.keys()
    if (this.#missed.size > MAX_GONE && oldest !== undefined) this.#missed.delete(oldest)
  }
}

/** Web hosts that have gone, for the calls of theirs that are still in the queue. */
const MAX_GONE = 1000
