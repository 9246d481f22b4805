import { isLoading, stateWord } from './state-words.js'

const LOADING_MS = 1000
const FAILED_MS = 5000
const QUIET_MS = 15_000
const PATIENCE_MS = 10_000
/** A restart takes seconds, an update minutes. After this time, a waiting picture fails instead of asking every second. */
const GIVE_UP_MS = 10 * 60_000
/** States of a service that is ending, and may be started again. */
const ENDING = ['closing', 'closed']

/** @typedef {import('./state-words.js').ModelState} ModelState */

/** The state that pages show for every model while the service does not answer. */
export const UNREACHABLE = { state: 'unreachable', progress: null, error: null }

/**
 * The models of /readyz by name; undefined when the service does not answer.
 * @returns {Promise<Record<string, ModelState> | undefined>}
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
 * Follows one model by asking /readyz: every second while the model is loading or a picture waits, every five seconds while
 * the model has failed or the service does not answer, every fifteen seconds otherwise. A hidden page asks only for
 * waiting pictures.
 */
export class Readiness {
  #model
  #tell
  #state
  /** @type {(() => void)[]} */
  #waiting = []
  /** @type {number | undefined} */
  #timer
  /** @type {Promise<void> | undefined} the request under way, which all callers of look() share */
  #looking
  /** @type {number | undefined} since when the service has not answered; undefined while the service answers */
  #goneAt

  /**
   * @param {string} model
   * @param {string} state the state that came with the page
   * @param {(its: ModelState, models: Record<string, ModelState>) => void} tell
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

  /** Whether a picture should wait: the model is loading, or the service is being restarted. */
  get holdsUp() {
    if (this.#goneAt !== undefined) return performance.now() - this.#goneAt < GIVE_UP_MS
    return isLoading(this.#state) || ENDING.includes(this.#state)
  }

  /** Whether another try with a refused picture is pointless. */
  get hasFailed() {
    return this.#state === 'failed' || this.#goneAt !== undefined
  }

  /**
   * Resolves when a picture need not wait any longer. The answer may still be an error.
   * @param {AbortSignal} signal
   */
  async ready(signal) {
    while (this.holdsUp) {
      signal.throwIfAborted()
      // The next look may be 15 s away, too long for a picture that waits.
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
    this.#tell(its ?? UNREACHABLE, models ?? {})
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
