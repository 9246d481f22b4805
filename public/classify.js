import { Failure, failure, gone, mustBeOk, postWithKey } from './post.js'

const MAX_TRIES = 6
const MAX_WAIT_S = 30

/** @typedef {import('./answer.js').Answer} Answer */
/** @typedef {import('./card.js').Line} Line */
/**
 * @typedef {object} Image
 * @property {string} name
 * @property {File | undefined} [file]
 * @property {string | undefined} [url]
 * @property {string | undefined} [own] address on this site, for a picture of this site
 */

/**
 * Sends an image, tells each state on the way, and returns the answer. The image waits while the model is loading or the
 * service is being restarted. When an error has a Retry-After, the image is sent again.
 * @param {string} path
 * @param {Image} image
 * @param {{ readiness: import('./readiness.js').Readiness, tell: (line: Line) => void, signal: AbortSignal }} parts
 * @returns {Promise<Answer>}
 */
export async function classify(path, image, { readiness, tell, signal }) {
  for (let tries = 1; ; tries++) {
    if (readiness.holdsUp) tell({ state: 'loading', what: readiness.isReachable ? 'model' : 'service' })
    await readiness.ready(signal)
    tell({ state: 'sending' })
    try {
      return await attempt(path, image, tell, signal)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      const isUnanswered = error.code === ''
      if (isUnanswered || error.code === 'ERR_NOT_READY' || error.code === 'ERR_CLOSED')
        await readiness.look()
      // An image that crashes the service each time must not be sent forever.
      if (isUnanswered && tries >= MAX_TRIES) throw error
      if (readiness.holdsUp) {
        // A refused image never reached the model: this try does not count.
        if (!isUnanswered) tries--
        continue
      }
      if (error.retryAfter === undefined || tries >= MAX_TRIES || readiness.hasFailed) throw error
      for (let seconds = Math.min(error.retryAfter, MAX_WAIT_S); seconds > 0; seconds--) {
        tell({ state: 'again', seconds, why: error.message })
        await pause(1000, signal)
      }
    }
  }
}

/**
 * @param {string} path
 * @param {Image} image
 * @param {(line: Line) => void} tell
 * @param {AbortSignal} signal
 * @returns {Promise<Answer>}
 */
async function attempt(path, { file, url, name }, tell, signal) {
  const body = new FormData()
  if (file) body.append('image', file, name)
  else body.append('url', url ?? '')
  const headers = { Accept: 'application/x-ndjson' }
  const asking = (/** @type {boolean} */ isAsking) => tell({ state: isAsking ? 'key' : 'sending' })
  const response = await mustBeOk(await postWithKey(path, { body, headers, signal, asking }))
  for await (const line of lines(response)) {
    if (line.state === 'done') return line
    if (line.state === 'failed') throw failure(line.error, line.status, line.retryAfter)
    tell(line)
  }
  throw gone('The connection ended before the answer came.')
}

/**
 * Yields each line of an answer as soon as the line is complete.
 * @param {Response} response
 */
async function* lines({ body }) {
  if (body === null) return
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  try {
    for (;;) {
      const { value, done } = await reader.read()
      if (done) return
      const whole = (rest + value).split('\n')
      rest = whole.pop() ?? ''
      for (const line of whole) yield JSON.parse(line)
    }
  } catch (error) {
    if (error instanceof TypeError) throw gone('The connection broke before the answer came.')
    throw error
  } finally {
    reader.cancel().catch(() => {})
  }
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal.addEventListener('abort', onAbort, { once: true })
  })
}
