/** What is said of a model. The server and the browser both import this module, so a page never changes its wording. */

/**
 * @typedef {object} Its state of a model, as /readyz tells it
 * @property {string} state
 * @property {{ fraction: number, word: string } | null} progress
 * @property {{ message: string } | null} error
 * @property {string | null | undefined} [device]
 */

/** `unreachable` is known to pages alone: the service has not answered. */
const WORDS = new Map([
  ['idle', 'starting'],
  ['closing', 'ending'],
  ['closed', 'ended'],
  ['unreachable', 'not reachable'],
])

/** @param {string} state */
export function stateWord(state) {
  return WORDS.get(state) ?? state
}

/** @param {string} state */
export function isLoading(state) {
  return state === 'starting' || state === 'idle'
}

/**
 * A model that has to wait for its weights says why in a whole sentence, and there is nothing to measure.
 * @param {Pick<Its, 'state' | 'progress'>} its
 */
export function hasBar({ state, progress }) {
  return isLoading(state) && progress?.word.endsWith('.') !== true
}

/**
 * The line under the name of a model on the first page.
 * @param {Its} its
 */
export function modelWord({ state, device, progress }) {
  if (state === 'ready') return device ? `answers, on ${device}` : 'answers'
  if (state === 'unreachable') return 'the service does not answer; it is asked again'
  if (state === 'failed') return 'could not be loaded; it is tried again from time to time'
  return progress?.word ?? 'starting'
}

/**
 * The notice on the page of a model that does not answer yet.
 * @param {string} name
 * @param {Its} its
 */
export function loadingWords(name, its) {
  const { state, progress, error } = its
  const why = error?.message ?? 'The log of the service says why.'
  if (state === 'failed') {
    const word = `${why} It is tried again from time to time; the log has the details.`
    return { title: `${name} could not be loaded`, word, isBad: true }
  }
  if (state === 'restarting') return { title: `${name} is being started again`, word: why, isBad: true }
  if (state === 'unreachable') {
    const word =
      'The service does not answer: it may have been stopped, or the network is gone. It is asked again.'
    return { title: `${name} is not reachable`, word, isBad: true }
  }
  const does = isLoading(state) && !hasBar(its) ? 'waits for its weights' : 'is being loaded'
  return { title: `${name} ${does}`, word: progress?.word ?? 'starting', isBad: false }
}

/**
 * Where a model runs, on /status.
 * @param {{ engine: string | null, device: string | null, reason: string | null, workers: readonly unknown[] }} model
 */
export function aboutModel({ engine, device, reason, workers }) {
  const where = [engine, device].filter((word) => word !== null).join(' on ')
  const children = `${workers.length} ${workers.length === 1 ? 'child' : 'children'}`
  return [where, children, reason].filter((word) => word).join(' · ')
}
