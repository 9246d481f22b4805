import { postWithKey } from './post.js'

/** A user who is drawing cannot follow more answers a second. */
const PAUSE_MS = 80
const RETRY_MS = 1000

/** @typedef {import('./answer.js').Answer} Answer */
/**
 * @typedef {object} Listener
 * @property {(answer: Answer, id: string, isLast: boolean) => void} answered
 * @property {(sentence: string) => void} failed
 * @property {(sentence: string, code: string) => void} waits called before the same picture is sent again; the code is
 * empty when no answer came
 * @property {() => Promise<void>} rest awaited before the user is asked for a key
 */

/** Sends one picture at a time. While a request is under way, a newer picture replaces the one that waits. */
export class Asker {
  #path
  #listener
  /** @type {(() => Promise<Blob> | Blob) | undefined} makes the bytes of the newest picture that has not been sent */
  #next
  #isRunning = false
  #isAsking = false
  // Aborts the request under way.
  #stop = new AbortController()

  /**
   * @param {string} path
   * @param {Listener} listener
   */
  constructor(path, listener) {
    this.#path = path
    this.#listener = listener
  }

  /** Whether the newest picture has its answer. */
  get isDone() {
    return this.#next === undefined && !this.#isAsking
  }

  /** @param {() => Promise<Blob> | Blob} makeBytes */
  ask(makeBytes) {
    this.#next = makeBytes
    if (!this.#isRunning) this.#run()
  }

  /** Drops the waiting picture, and the answer under way. */
  forget() {
    this.#next = undefined
    this.#stop.abort()
  }

  async #run() {
    this.#isRunning = true
    while (this.#next) {
      const makeBytes = this.#next
      this.#next = undefined
      this.#stop = new AbortController()
      this.#isAsking = true
      const wait = await this.#askOnce(makeBytes, this.#stop.signal)
      this.#isAsking = false
      await new Promise((resolve) => setTimeout(resolve, wait))
    }
    this.#isRunning = false
  }

  /**
   * @param {() => Promise<Blob> | Blob} makeBytes
   * @param {AbortSignal} signal
   * @returns the milliseconds until the next picture may go
   */
  async #askOnce(makeBytes, signal) {
    try {
      const body = await makeBytes()
      const headers = { 'Content-Type': body.type || 'application/octet-stream' }
      const asking = (/** @type {boolean} */ isAsking) => isAsking && this.#listener.rest()
      const response = await postWithKey(this.#path, { body, headers, signal, asking })
      const answer = await response.json()
      if (signal.aborted) return 0
      if (!response.ok) return this.#refused(response, answer.error, makeBytes)
      this.#listener.answered(answer, idOf(response), this.#next === undefined)
      return PAUSE_MS
    } catch {
      if (signal.aborted) return 0
      this.#listener.waits('The service does not answer. The page tries again every second.', '')
      this.#next ??= makeBytes
      return RETRY_MS
    }
  }

  /**
   * @param {Response} response
   * @param {{ code: string, message: string }} error
   * @param {() => Promise<Blob> | Blob} makeBytes
   */
  #refused({ status, headers }, error, makeBytes) {
    const seconds = Number(headers.get('Retry-After'))
    if (!seconds) {
      // After a refusal to give a key, a waiting picture must not open the dialog again.
      if (status === 401) this.#next = undefined
      this.#listener.failed(error.message)
      return PAUSE_MS
    }
    this.#listener.waits(error.message, error.code)
    this.#next ??= makeBytes
    // A loading model sends Retry-After: 10, but may be ready in one second.
    return status === 503 ? RETRY_MS : seconds * 1000
  }
}

/**
 * The id that a report names.
 * @param {Response} response
 */
function idOf({ headers }) {
  return headers.get('X-Report-Id') ?? headers.get('X-Request-Id') ?? ''
}
