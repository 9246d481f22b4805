const LOADING_MS = 1000
const FAILED_MS = 5000
/** As lib/pages/model-status.ts has them. */
const WORDS = { idle: 'starting', closing: 'ending', closed: 'ended', unreachable: 'not reachable' }

export const isLoading = (state) => state === 'starting' || state === 'idle'

/** What /readyz says of each model; undefined when nobody answers. */
export async function readModels() {
  try {
    const { models } = await (await fetch('/readyz', { cache: 'no-store' })).json()
    return models
  } catch {
    return undefined
  }
}

export function setPill(pill, state) {
  if (pill.dataset.state === state) return
  pill.className = `pill pill-${state}`
  pill.dataset.state = state
  pill.textContent = WORDS[state] ?? state
}

/** As lib/pages/model-status.ts says it. */
export function loadingWords(name, { state, progress, error }) {
  const why = error?.message ?? 'The log of the service says why.'
  if (state === 'failed') {
    const word = `${why} It is tried again from time to time; the log has the details.`
    return { title: `${name} could not be loaded`, word, isBad: true }
  }
  if (state === 'restarting') return { title: `${name} is being started again`, word: why, isBad: true }
  return { title: `${name} is being loaded`, word: progress?.word ?? 'starting', isBad: false }
}

/**
 * Follows one model: asks each second while it loads, now and then while it could not be loaded, and not at all once it
 * is ready, until somebody finds that it is not.
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
    if (state !== 'ready') this.look()
  }

  get holdsUp() {
    return isLoading(this.#state)
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
    // Nothing is known about a service that does not answer; what is sent to it will say so.
    if (its) {
      this.#state = its.state
      this.#tell(its)
    }
    if (!this.holdsUp) for (const go of this.#waiting.splice(0)) go()
    if (this.#state !== 'ready') {
      this.#timer = setTimeout(() => this.look(), this.#state === 'failed' ? FAILED_MS : LOADING_MS)
    }
  }
}
