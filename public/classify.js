import { askForKey, keyHeaders } from './api-key.js'

const MAX_TRIES = 6
const MAX_WAIT_S = 30
const WAIT_S = 2
/** A key may be found, a connection become faster, a client be told to wait; the picture is not at fault. */
const PASSING = [401, 408, 429]

/** What went wrong, as a sentence to show. */
export class Failure extends Error {
  /** `mayPass`: the very same may be answered another time. */
  constructor(message, { code = '', retryAfter, mayPass = false } = {}) {
    super(message)
    this.code = code
    this.retryAfter = retryAfter
    this.mayPass = mayPass
  }
}

/**
 * Sends an image, tells each state that it goes through, and returns the answer. It waits for a model that is still
 * loading, and tries again where the service asks for that.
 */
export async function classify(path, image, { readiness, tell, signal }) {
  for (let tries = 1; ; tries++) {
    if (readiness.holdsUp) tell({ state: 'loading' })
    await readiness.ready(signal)
    tell({ state: 'sending' })
    try {
      return await attempt(path, image, tell, signal)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      // Nobody answered, or the model is not there.
      if (error.code === '' || error.code === 'ERR_NOT_READY') await readiness.look()
      if (error.code === 'ERR_UNAUTHORIZED') {
        tell({ state: 'key' })
        if (!(await askForKey(error.message))) throw error
        tries = 0
        continue
      }
      // What a model that is loading refuses is no failed try: it is sent when the model is ready.
      if (readiness.holdsUp) continue
      if (error.retryAfter === undefined || tries >= MAX_TRIES || readiness.hasFailed) throw error
      for (let seconds = Math.min(error.retryAfter, MAX_WAIT_S); seconds > 0; seconds--) {
        tell({ state: 'again', seconds, why: error.message })
        await pause(1000, signal)
      }
    }
  }
}

async function attempt(path, { file, url, name }, tell, signal) {
  const body = new FormData()
  if (file) body.append('image', file, name)
  else body.append('url', url)
  const response = await send(path, body, 'application/x-ndjson', signal)
  for await (const line of lines(response)) {
    if (line.state === 'done') return line
    if (line.state === 'failed') throw failure(line.error, line.status, line.retryAfter)
    tell(line)
  }
  throw new Failure('The connection ended before the answer came.', { mayPass: true })
}

/** POST, with the key if there is one; what is not answered well is a Failure. */
export async function send(path, body, accept, signal) {
  let response
  try {
    response = await fetch(path, {
      method: 'POST',
      body,
      headers: { Accept: accept, ...keyHeaders() },
      signal,
    })
  } catch (error) {
    if (signal?.aborted) throw error
    throw new Failure('The service does not answer: it may have been stopped, or the network is gone.', {
      mayPass: true,
    })
  }
  if (response.ok) return response
  const { error } = await response.json().catch(() => ({}))
  const wait = response.headers.get('Retry-After')
  throw failure(
    error ?? { message: `The service answered with ${response.status}.` },
    response.status,
    wait === null ? undefined : Number(wait),
  )
}

function failure({ code, message }, status, retryAfter) {
  const wait = Number.isNaN(retryAfter) ? WAIT_S : retryAfter
  return new Failure(message, { code, retryAfter: wait, mayPass: status >= 500 || PASSING.includes(status) })
}

/** The lines of an answer, each as soon as it is whole. */
async function* lines({ body }) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  try {
    for (;;) {
      const { value, done } = await reader.read()
      if (done) return
      const whole = (rest + value).split('\n')
      rest = whole.pop()
      for (const line of whole) yield JSON.parse(line)
    }
  } catch (error) {
    if (error instanceof TypeError)
      throw new Failure('The connection broke before the answer came.', { mayPass: true })
    throw error
  } finally {
    reader.cancel().catch(() => {})
  }
}

function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms)
    signal?.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        reject(signal.reason)
      },
      { once: true },
    )
  })
}
