import { keyHeaders } from './api-key.js'
import { messageOf } from './page.js'

/** A busy service answers in milliseconds. After this time, the service counts as gone. */
const PATIENCE_MS = 5000
const RETRY_MS = 1000
/** The wait between the time a sample is due and the request for the sample. */
const MARGIN_MS = 60

/** @typedef {import('./status-series.js').Column} Column */
/** @typedef {Readonly<Record<string, Column>>} Columns */
/**
 * @typedef {object} Model
 * @property {string} name
 * @property {string} state
 * @property {string | null} engine
 * @property {string | null} device
 * @property {string | null} reason
 * @property {import('./state-words.js').ModelTuning | null} tuning
 * @property {readonly unknown[]} workers
 * @property {readonly unknown[]} spares
 * @property {number} restarts
 * @property {{ word: string } | null} progress
 * @property {{ code: string, message: string } | null} error
 * @property {import('./fleet-words.js').Fleet} [fleet] set if other hosts compute the predictions
 */
/**
 * The JSON of /status.
 * @typedef {object} Status
 * @property {number} startedAt
 * @property {number} now
 * @property {number} interval milliseconds from sample to sample
 * @property {readonly Model[]} models
 * @property {{ t: readonly number[], models: Readonly<Record<string, Columns>> } & Record<string, Column>} samples
 */
/**
 * @typedef {object} Listener
 * @property {(answer: Status) => Promise<void>} answered
 * @property {(why: string) => void} failed
 * @property {(why: string) => void} needsKey called when a key is required; the feed then waits for resume()
 */

/** Fetches new samples once a second, one request at a time, while the page is visible. */
export class Feed {
  #listener
  #since = 0
  /** @type {number | undefined} identifies the process that took the samples */
  #startedAt
  /** @type {number | undefined} */
  #timer
  #isAsking = false
  #waitsForKey = false

  /** @param {Listener} listener */
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

  /** The page as the server renders it for a client with the key. */
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

  /** Resolves to the milliseconds until the next request. */
  async #askOnce() {
    try {
      const response = await fetchStatus(`?since=${this.#since}`, 'application/json')
      if (response.status === 401) {
        this.#waitsForKey = true
        this.#listener.needsKey((await response.json()).error.message)
        return 0
      }
      if (!response.ok) throw new Error(`status ${response.status}`)
      /** @type {Status} */
      const answer = await response.json()
      // A restarted service has new samples only: fetch all of them.
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
      this.#listener.failed(messageOf(error))
      return RETRY_MS
    }
  }
}

/**
 * @param {string} query
 * @param {string} type
 */
function fetchStatus(query, type) {
  return fetch(`/status${query}`, {
    headers: { Accept: type, ...keyHeaders() },
    cache: 'no-store',
    signal: AbortSignal.timeout(PATIENCE_MS),
  })
}
