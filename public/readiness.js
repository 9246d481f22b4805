import { isLoading, stateWord } from './state-words.js'

const LOADING_MS = 1000
const FAILED_MS = 5000
const QUIET_MS = 15_000
const PATIENCE_MS = 10_000
/** What is shown of every model when nobody answers. */
export const UNREACHABLE = { state: 'unreachable', progress: null, error: null }

/** What /readyz says of each model; undefined when nobody answers. */
export async function readModels() {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS)
    const { models } = await (await fetch('/readyz', { cache: 'no-store', signal })).json()
    return models
  } catch {
    return undefined
  }
}

export function setPill(pill, state) {
  if (pill.dataset.state === state) return
  pill.className = `pill pill-${state}`
  pill.dataset.state = state
  pill.textContent = stateWord(state)
}

/**
 * Follows one model: asks each second while it loads, now and then while it could not be loaded or nobody answers, and
 * four times a minute once it is ready, as long as somebody looks at the page.
 */
export class Readiness {
  #model
  #tell
  #state
  #waiting = []
  #timer

  constructor(model, state, tell) {
    this.#model = model
    this.#state = state
    this.#tell = tell
    if (state === 'ready') this.#lookIn(QUIET_MS)
    else this.look()
  }

  get holdsUp() {
    return isLoading(this.#state)
  }

  get hasFailed() {
    return this.#state === 'failed'
  }

  /** Resolves when there is a point in sending something: the model is ready, or will say itself what it lacks. */
  async ready(signal) {
    while (this.holdsUp) {
      signal?.throwIfAborted()
      await new Promise((resolve) => {
        this.#waiting.push(resolve)
        signal?.addEventListener('abort', resolve, { once: true })
      })
    }
    signal?.throwIfAborted()
  }

  async look() {
    clearTimeout(this.#timer)
    const models = await readModels()
    const its = models?.[this.#model]
    if (its) this.#state = its.state
    // What waits for a model that is loading goes on waiting; whatever else is sent will say itself that nobody answers.
    this.#tell(its ?? UNREACHABLE)
    if (!this.holdsUp) for (const go of this.#waiting.splice(0)) go()
    this.#lookIn(its ? pauseAfter(its.state) : FAILED_MS)
  }

  #lookIn(ms) {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      if (document.hidden && this.#waiting.length === 0) this.#lookIn(ms)
      else this.look()
    }, ms)
  }
}

function pauseAfter(state) {
  if (state === 'ready') return QUIET_MS
  return state === 'failed' ? FAILED_MS : LOADING_MS
}
