export interface RecentMapOptions<Value> {
  /** number of entries */
  readonly max?: number
  /** sum of the sizes of all entries; `sizeOf` must be given too */
  readonly maxSize?: number
  readonly sizeOf?: (value: Value) => number
  /** Entries are removed this long after they were set. */
  readonly ttlMs?: number
  /** Called with each value that is removed or replaced. */
  readonly removed?: (value: Value) => void
}

interface Entry<Value> {
  readonly value: Value
  readonly size: number
  readonly expires: number
}

/**
 * A map within bounds: where a bound is passed, the entries go that were not read or set for the longest time. An entry
 * larger than `maxSize` is not kept. The timer that removes expired entries does not keep the process alive.
 */
export class RecentMap<Value> {
  readonly #options: RecentMapOptions<Value>
  /** From the least to the most recently used: a Map keeps the order in which its keys were inserted. */
  readonly #entries = new Map<string, Entry<Value>>()
  /** The same keys, from the first to expire to the last; empty without `ttlMs`. */
  readonly #expiring = new Map<string, number>()
  /** The sum of the sizes of `#entries`. */
  #size = 0
  /** Set while `#expiring` has entries. */
  #timer: NodeJS.Timeout | undefined

  constructor(options: RecentMapOptions<Value>) {
    this.#options = options
  }

  get size(): number {
    return this.#entries.size
  }

  has(key: string): boolean {
    return this.peek(key) !== undefined
  }

  /** The value, without counting as a use. */
  peek(key: string): Value | undefined {
    const entry = this.#entries.get(key)
    // A busy event loop may be late with the timer.
    return entry === undefined || entry.expires <= performance.now() ? undefined : entry.value
  }

  get(key: string): Value | undefined {
    const value = this.peek(key)
    const entry = this.#entries.get(key)
    if (value === undefined || entry === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return value
  }

  set(key: string, value: Value): void {
    const { max = Number.POSITIVE_INFINITY, maxSize = Number.POSITIVE_INFINITY } = this.#options
    const { sizeOf = () => 0, ttlMs } = this.#options
    this.#remove(key)
    const size = sizeOf(value)
    if (size > maxSize) return
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size < max && this.#size + size <= maxSize) break
      this.#remove(oldest)
    }
    const expires = ttlMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + ttlMs
    this.#entries.set(key, { value, size, expires })
    this.#size += size
    if (ttlMs === undefined) return
    this.#expiring.set(key, expires)
    this.#timer ??= setTimeout(() => this.#removeExpired(), ttlMs).unref()
  }

  clear(): void {
    for (const key of this.#entries.keys()) this.#remove(key)
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#expiring.delete(key)
    this.#size -= entry.size
    this.#options.removed?.(entry.value)
  }

  #removeExpired(): void {
    this.#timer = undefined
    const now = performance.now()
    for (const [key, expires] of this.#expiring) {
      if (expires > now) {
        this.#timer = setTimeout(() => this.#removeExpired(), expires - now).unref()
        return
      }
      this.#remove(key)
    }
  }
}
