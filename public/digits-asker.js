import { askForKey, keyHeaders } from './api-key.js'

/** A hand draws on; more answers than this a second nobody sees. */
const PAUSE_MS = 80
const RETRY_MS = 1000

/**
 * A request with the key, if there is one; when it is refused for the want of one, somebody is asked for it, as soon as
 * `rest()` resolves and unless it has been aborted by then.
 */
export async function post(address, init, rest = async () => {}) {
  const { headers, ...others } = init
  const all = { Accept: 'application/json', ...headers, ...keyHeaders() }
  const response = await fetch(address, { method: 'POST', ...others, headers: all })
  if (response.status !== 401) return response
  const { error } = await response.clone().json()
  await rest()
  if (init.signal?.aborted) return response
  return (await askForKey(error.message)) ? post(address, init, rest) : response
}

/**
 * Sends one picture at a time; of those that come meanwhile the newest is next, and the others are never sent. It is
 * told `answered(answer, id, isLast)`, `failed(sentence)`, and when the same is tried again, `waits(sentence, code)`,
 * without a code when nobody has answered. It asks the listener to `rest()` before somebody has to give a key.
 */
export class Asker {
  #path
  #listener
  // Makes the bytes of the newest picture that has not been sent.
  #next
  #isRunning = false
  #isAsking = false
  // Of the request under way.
  #stop = new AbortController()

  constructor(path, listener) {
    this.#path = path
    this.#listener = listener
  }

  /** Whether the newest picture has its answer. */
  get isDone() {
    return this.#next === undefined && !this.#isAsking
  }

  ask(makeBytes) {
    this.#next = makeBytes
    if (!this.#isRunning) this.#run()
  }

  /** Nobody wants to know any more. */
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

  /** The milliseconds until the next may go. */
  async #askOnce(makeBytes, signal) {
    try {
      const body = await makeBytes()
      const headers = { 'Content-Type': body.type || 'application/octet-stream' }
      const response = await post(this.#path, { body, headers, signal }, this.#listener.rest)
      const answer = await response.json()
      if (signal.aborted) return 0
      if (!response.ok) return this.#refused(response, answer, makeBytes)
      this.#listener.answered(answer, response.headers.get('X-Request-Id') ?? '', this.#next === undefined)
      return PAUSE_MS
    } catch {
      if (signal.aborted) return 0
      this.#listener.waits('The service does not answer. It is asked again every second.')
      this.#next ??= makeBytes
      return RETRY_MS
    }
  }

  #refused({ status, headers }, { error }, makeBytes) {
    const seconds = Number(headers.get('Retry-After'))
    if (!seconds) {
      // Whoever has refused to give a key is not asked again for what was drawn before.
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
