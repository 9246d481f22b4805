interface Known<Answer> {
  readonly answer: Answer
  readonly bytes: number
  readonly until: number
}

const MAX_ANSWERS = 1000
const MAX_BYTES = 32 * 2 ** 20
const KEEP_MS = 60_000

/** The last answers by key: a call that comes a second time is not computed a second time. */
export class KnownAnswers<Answer> {
  // The oldest first; #bytes is the sum over all.
  readonly #known = new Map<string, Known<Answer>>()
  #bytes = 0

  get size(): number {
    return this.#known.size
  }

  get(key: string): Answer | undefined {
    const known = this.#known.get(key)
    return known && known.until > performance.now() ? known.answer : undefined
  }

  add(key: string, answer: Answer, bytes: number): void {
    this.#remove(key)
    this.#known.set(key, { answer, bytes, until: performance.now() + KEEP_MS })
    this.#bytes += bytes
    for (const [oldest, { until }] of this.#known) {
      const isTooMuch = this.#known.size > MAX_ANSWERS || this.#bytes > MAX_BYTES
      if (!isTooMuch && until > performance.now()) return
      this.#remove(oldest)
    }
  }

  #remove(key: string): void {
    const known = this.#known.get(key)
    if (!known) return
    this.#known.delete(key)
    this.#bytes -= known.bytes
  }
}
