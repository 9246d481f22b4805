import { isLoading, stateWord } from './state-words.js'

const LOADING_MS = 1000
const FAILED_MS = 5000
const QUIET_MS = 15_000
const PATIENCE_MS = 10_000
/** A restart takes seconds, an update minutes; after that time a picture is not worth a request a second. */
const GIVE_UP_MS = 10 * 60_000
/** The service is about to end, and perhaps to be started again. */
const ENDING = ['closing', 'closed']

/** @typedef {import('./state-words.js').Its} Its */

/** What is shown of every model while the service does not answer. */
export const UNREACHABLE = { state: 'unreachable', progress: null, error: null }

/**
 * What /readyz says of each model; undefined when the service does not answer.
 * @returns {Promise<Record<string, Its> | undefined>}
 */
export async function readModels() {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS)
    const { models } = await (await fetch('/readyz', { cache: 'no-store', signal })).json()
    return models
  } catch {
    return undefined
  }
}

/**
 * @param {HTMLElement} pill
 * @param {string} state
 */
export function setPill(pill, state) {
  if (pill.dataset.state === state) return
  pill.className = `pill pill-${state}`
  pill.dataset.state = state
  pill.textContent = stateWord(state)
}

/**
 * Follows one model: asks each second while it loads or while a picture waits, now and then while the model has failed or
 * the service does not answer, and four times a minute once all is well, as long as the page is in sight.
 */
export class Readiness {
  #model
  #tell
  #state
  /** @type {(() => void)[]} */
  #waiting = []
  /** @type {number | undefined} */
  #timer
  /** @type {Promise<void> | undefined} the request under way, which serves all who want to look */
  #looking
  /** @type {number | undefined} when the service was found gone; undefined while it answers */
  #goneAt

  /**
   * @param {string} model
   * @param {string} state as the page came with it
   * @param {(its: Its) => void} tell
   */
  constructor(model, state, tell) {
    this.#model = model
    this.#state = state
    this.#tell = tell
    if (state === 'ready') this.#lookIn(QUIET_MS)
    else this.look()
  }

  get isReachable() {
    return this.#goneAt === undefined
  }

  /** Whether there is no point in sending something now: the model is loading, or the service is being restarted. */
  get holdsUp() {
    if (this.#goneAt !== undefined) return performance.now() - this.#goneAt < GIVE_UP_MS
    return isLoading(this.#state) || ENDING.includes(this.#state)
  }

  /** Whether a picture that is refused now will be refused again. */
  get hasFailed() {
    return this.#state === 'failed' || this.#goneAt !== undefined
  }

  /**
   * Resolves when there is a point in sending something: the answer will be a result, or will say what is wrong.
   * @param {AbortSignal} signal
   */
  async ready(signal) {
    while (this.holdsUp) {
      signal.throwIfAborted()
      // A quiet page looks seldom; a picture that waits wants to know soon.
      if (this.#waiting.length === 0) this.#lookIn(LOADING_MS)
      await this.#change(signal)
    }
    signal.throwIfAborted()
  }

  look() {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #look() {
    clearTimeout(this.#timer)
    const models = await readModels()
    const its = models?.[this.#model]
    if (models) this.#goneAt = undefined
    else this.#goneAt ??= performance.now()
    this.#state = its?.state ?? (models ? 'unknown' : this.#state)
    this.#tell(its ?? UNREACHABLE)
    if (!this.holdsUp) for (const go of this.#waiting.splice(0)) go()
    this.#lookIn(this.#waiting.length > 0 ? LOADING_MS : pauseAfter(its?.state))
  }

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<void>}
   */
  #change(signal) {
    return new Promise((resolve) => {
      const go = () => {
        signal.removeEventListener('abort', go)
        this.#waiting = this.#waiting.filter((other) => other !== go)
        resolve()
      }
      this.#waiting.push(go)
      signal.addEventListener('abort', go, { once: true })
    })
  }

  /** @param {number} ms */
  #lookIn(ms) {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      if (document.hidden && this.#waiting.length === 0) this.#lookIn(ms)
      else this.look()
    }, ms)
  }
}

/** @param {string | undefined} state */
function pauseAfter(state) {
  if (state === 'ready') return QUIET_MS
  return state === undefined || state === 'failed' ? FAILED_MS : LOADING_MS
}
