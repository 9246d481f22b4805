import { postWithKey } from './post.js'

/** More answers a second than this allows cannot be seen by the user, whose hand draws on meanwhile. */
const PAUSE_MS = 80
const RETRY_MS = 1000

/** @typedef {import('./answer.js').Answer} Answer */
/**
 * @typedef {object} Listener
 * @property {(answer: Answer, id: string, isLast: boolean) => void} answered
 * @property {(sentence: string) => void} failed
 * @property {(sentence: string, code: string) => void} waits called when the same picture is sent again; the code is
 * empty when no answer came
 * @property {() => Promise<void>} rest awaited before the user is asked for a key
 */

/** Sends one picture at a time. Of the pictures that come meanwhile the newest is next; the others are never sent. */
export class Asker {
  #path
  #listener
  /** @type {(() => Promise<Blob> | Blob) | undefined} makes the bytes of the newest picture that has not been sent */
  #next
  #isRunning = false
  #isAsking = false
  // Of the request under way.
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

  /** The answer is not wanted any more. */
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
      this.#listener.answered(answer, response.headers.get('X-Request-Id') ?? '', this.#next === undefined)
      return PAUSE_MS
    } catch {
      if (signal.aborted) return 0
      this.#listener.waits('The service does not answer. It is asked again every second.', '')
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
      // A user who has refused to give a key is not asked again for what was drawn before.
      if (status === 401) this.#next = undefined
      this.#listener.failed(error.message)
      return PAUSE_MS
    }
    this.#listener.waits(error.message, error.code)
    this.#next ??= makeBytes
    // A model that is being loaded says ten seconds, and may be there in one.
    return status === 503 ? RETRY_MS : seconds * 1000
  }
}
