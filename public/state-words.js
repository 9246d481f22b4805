/** The words for states of a model. Server and browser import this module, so that scripts never change the wording of a page. */

/**
 * @typedef {object} ModelState the state of a model, as in /readyz
 * @property {string} state
 * @property {{ fraction: number, word: string } | null} progress
 * @property {{ message: string, permanent: boolean } | null} error
 * @property {string | null | undefined} [device]
 * @property {{ hosts: readonly unknown[] } | undefined} [fleet] set if other hosts compute the predictions
 */

/** Only pages know the state `unreachable`: the service has not answered. */
const WORDS = new Map([
  ['idle', 'starting'],
  ['closing', 'stopping'],
  ['closed', 'stopped'],
  ['unreachable', 'not reachable'],
])

/** @param {string} state */
export function stateWord(state) {
  return WORDS.get(state) ?? state
}

const SHUTTING_DOWN = 'The service is shutting down.'

/** @param {string} state */
export function isLoading(state) {
  return state === 'starting' || state === 'idle'
}

/**
 * Whether to show a progress bar. A progress that is a whole sentence says why the model waits: nothing to measure.
 * @param {Pick<ModelState, 'state' | 'progress'>} its
 */
export function hasBar({ state, progress }) {
  return isLoading(state) && progress?.word.endsWith('.') !== true
}

/**
 * The line under the name of a model on the first page.
 * @param {ModelState} its
 */
export function modelWord({ state, device, progress, error }) {
  if (state === 'ready') return device ? `runs on ${device}` : 'ready to answer'
  if (state === 'unreachable') return 'The service does not answer. The page goes on trying.'
  if (state === 'failed') return `The model could not be loaded. ${nextTry(error)}`
  if (isEnding(state)) return SHUTTING_DOWN
  return (
    progress?.word ??
    (state === 'restarting' ? 'The child process has ended and is starting again.' : 'starting')
  )
}

/**
 * The notice on the page of a model that does not answer yet.
 * @param {string} name
 * @param {ModelState} its
 */
export function loadingWords(name, its) {
  const { state, progress, error } = its
  const why = error?.message ?? 'The log of the service says why.'
  const lacksHosts = its.fleet?.hosts.length === 0
  if (lacksHosts && (state === 'failed' || state === 'restarting')) {
    return { title: `${name} has no model host`, word: `${why} The page goes on trying.`, isBad: true }
  }
  if (state === 'failed') {
    const word = `${why} ${nextTry(error)} The log has the details.`
    return { title: `${name} could not be loaded`, word, isBad: true }
  }
  if (state === 'restarting') return { title: `${name} is restarting`, word: why, isBad: true }
  if (state === 'unreachable') {
    const word =
      'The service does not answer. The service may have been stopped, or the network may be down. The page goes on trying.'
    return { title: `${name} is not reachable`, word, isBad: true }
  }
  if (isEnding(state)) return { title: `${name} is ${stateWord(state)}`, word: SHUTTING_DOWN, isBad: true }
  const missing = lacksHosts ? 'a model host' : 'its weights'
  const does = isLoading(state) && !hasBar(its) ? `is waiting for ${missing}` : 'is loading'
  return { title: `${name} ${does}`, word: progress?.word ?? 'starting', isBad: false }
}

/** @param {ModelState['error']} error */
function nextTry(error) {
  return error?.permanent
    ? 'The service tries again only when one of the model’s files changes.'
    : 'The service tries again from time to time.'
}

/** @param {string} state */
function isEnding(state) {
  return state === 'closing' || state === 'closed'
}

/** @param {number} value */
function threeDigits(value) {
  return value < 100 ? value.toPrecision(3) : String(Math.round(value))
}

/**
 * @typedef {object} ModelTuning what measurements have found about a model, as in /readyz
 * @property {string} state
 * @property {string | null} sentence
 * @property {readonly { size: number, ms: number }[]} batches
 */

/**
 * The line on /status about the measurements of a model; empty where there is nothing to say.
 * @param {{ tuning: ModelTuning | null }} model
 */
export function tuningLine({ tuning }) {
  if (tuning === null) return ''
  if (tuning.state === 'wanted')
    return 'Not measured yet on this machine: that is done while the service is idle.'
  const times = tuning.batches.map(({ size, ms }) => {
    return `${size} in ${threeDigits(ms)} ms (${threeDigits((1000 * size) / ms)}/s)`
  })
  const batches = times.length === 0 ? '' : `Batches of images: ${times.join(', ')}.`
  return [tuning.sentence && `${tuning.sentence}.`, batches].filter((word) => word).join(' ')
}

/**
 * The line on /status that says where a model runs.
 * @param {{ engine: string | null, device: string | null, reason: string | null, workers: readonly unknown[], spares: readonly unknown[], fleet?: { hosts: readonly unknown[] } | undefined }} model
 */
export function aboutModel({ engine, device, reason, workers, spares, fleet }) {
  if (fleet) return `${fleet.hosts.length} model ${fleet.hosts.length === 1 ? 'host' : 'hosts'}`
  const where = [engine, device].filter((word) => word !== null).join(' on ')
  const children = `${workers.length} ${workers.length === 1 ? 'child' : 'children'}`
  const waiting = spares.length === 0 ? '' : ` and ${spares.length} spare`
  return [where, children + waiting, reason].filter((word) => word).join(' · ')
}
