import { keyHeaders } from './api-key.js'
import { messageOf } from './page.js'

/** A service that is busy answers in milliseconds; one that takes this long is not there. */
const PATIENCE_MS = 5000
const RETRY_MS = 1000
/** How long after the next sample is due it is asked for. */
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
 * @property {readonly unknown[]} workers
 * @property {number} restarts
 * @property {{ word: string } | null} progress
 * @property {{ code: string, message: string } | null} error
 */
/**
 * What /status answers to a script.
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
 * @property {(why: string) => void} needsKey the feed waits for resume() then
 */

/** Fetches what is new once a second, one request at a time, while the page is in sight. */
export class Feed {
  #listener
  #since = 0
  /** @type {number | undefined} which process the samples are of */
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

  /** The page as the server makes it for a client with the key. */
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
      /** @type {Status} */
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
