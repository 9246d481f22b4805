import { keyHeaders } from './api-key.js'

/** A service that is busy answers in milliseconds; one that takes this long is not there. */
const PATIENCE_MS = 5000
const RETRY_MS = 1000
/** How long after the next sample is due it is asked for. */
const MARGIN_MS = 60

/**
 * Fetches what is new once a second, one request at a time, while somebody looks. It is told `answered(answer)`,
 * `failed(why)`, and `needsKey(why)`, after which it waits for resume().
 */
export class Feed {
  #listener
  #since = 0
  // Which process the samples are of.
  #startedAt
  #timer
  #isAsking = false
  #waitsForKey = false

  constructor(listener) {
    this.#listener = listener
  }

  start() {
    document.addEventListener('visibilitychange', () => this.#ask())
    this.#ask()
  }

  resume() {
    this.#waitsForKey = false
    this.#ask()
  }

  /** The page as the server makes it for whoever has the key. */
  async page() {
    return (await fetchStatus('', 'text/html')).text()
  }

  async #ask() {
    clearTimeout(this.#timer)
    if (document.hidden || this.#isAsking || this.#waitsForKey) return
    this.#isAsking = true
    const wait = await this.#askOnce()
    this.#isAsking = false
    if (!this.#waitsForKey) this.#timer = setTimeout(() => this.#ask(), wait)
  }

  /** The milliseconds until there is something to ask for again. */
  async #askOnce() {
    try {
      const response = await fetchStatus(`?since=${this.#since}`, 'application/json')
      if (response.status === 401) {
        this.#waitsForKey = true
        this.#listener.needsKey((await response.json()).error.message)
        return 0
      }
      if (!response.ok) throw new Error(`it answers with status ${response.status}`)
      const answer = await response.json()
      // Another process begins anew: all that it has is wanted.
      if (answer.startedAt !== this.#startedAt) {
        const isFirst = this.#startedAt === undefined
        this.#startedAt = answer.startedAt
        this.#since = 0
        if (!isFirst) return 0
      }
      const newest = answer.samples.t.at(-1) ?? this.#since
      await this.#listener.answered(answer)
      this.#since = newest
      const age = newest === 0 ? 0 : answer.now - newest
      return Math.min(Math.max(answer.interval + MARGIN_MS - age, answer.interval / 2), 2 * answer.interval)
    } catch (error) {
      this.#listener.failed(error.message)
      return RETRY_MS
    }
  }
}

function fetchStatus(query, type) {
  return fetch(`/status${query}`, {
    headers: { Accept: type, ...keyHeaders() },
    cache: 'no-store',
    signal: AbortSignal.timeout(PATIENCE_MS),
  })
}
