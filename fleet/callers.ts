import type { Port } from './port.ts'

/** Two looks in a row must find a reply queue without a consumer: a web host may be connecting again. */
const LOOKS = 2
/** Web hosts that have gone, for the calls of theirs that are still in the queue. */
const MAX_GONE = 1000

/**
 * Which web hosts are gone. A web host that is there consumes its reply queue. If one comes back, it declares its queue
 * and publishes its calls again, so that calls may be dropped whenever it is not there.
 */
export class Callers {
  readonly #port: Port
  // By reply queue: in how many looks in a row it had no consumer.
  readonly #missed = new Map<string, number>()

  constructor(port: Port) {
    this.#port = port
  }

  isGone(replyTo: string): boolean {
    return (this.#missed.get(replyTo) ?? 0) >= LOOKS
  }

  /** A reply could not be delivered. */
  gone(replyTo: string): void {
    this.#missed.set(replyTo, LOOKS)
    this.#forgetOldest()
  }

  /** Forgets the web hosts with a single missed look, except these. */
  keep(replyTos: ReadonlySet<string>): void {
    for (const known of this.#missed.keys())
      if (!replyTos.has(known) && !this.isGone(known)) this.#missed.delete(known)
  }

  /** Looks at the reply queue. */
  async isThere(replyTo: string): Promise<boolean> {
    const found = await this.#port.look(replyTo).catch(() => 'unknown' as const)
    // The connection was lost: nothing is known.
    if (found === 'unknown') return true
    if (found === undefined) this.gone(replyTo)
    else if (found.consumers === 0) this.#missed.set(replyTo, (this.#missed.get(replyTo) ?? 0) + 1)
    else this.#missed.delete(replyTo)
    this.#forgetOldest()
    return found !== undefined && found.consumers > 0
  }

  #forgetOldest(): void {
    const [oldest] = this.#missed.keys()
    if (this.#missed.size > MAX_GONE && oldest !== undefined) this.#missed.delete(oldest)
  }
}
