import { askForKey, keyHeaders } from './api-key.js'

/** Seconds until the next try, where a wait is asked for without a number. */
const WAIT_S = 2
/** A key can be given, a connection can become faster, a client can be told to wait: the picture is not at fault. */
const PASSING = [401, 408, 429]

/**
 * @typedef {object} Request
 * @property {BodyInit} body
 * @property {Record<string, string>} [headers]
 * @property {AbortSignal} [signal]
 * @property {(isAsking: boolean) => unknown} [asking] called before the user is asked for a key, which waits for the
 * result, and after
 */

/** What went wrong, as a sentence to show. */
export class Failure extends Error {
  /**
   * @param {string} message
   * @param {{ code?: string, retryAfter?: number | undefined, mayPass?: boolean }} [about] `code` is empty when no answer
   * came; `retryAfter` is in seconds; `mayPass` says that the same request can succeed another time
   */
  constructor(message, { code = '', retryAfter, mayPass = false } = {}) {
    super(message)
    this.code = code
    this.retryAfter = retryAfter
    this.mayPass = mayPass
  }
}

/**
 * Sends a POST request with the key, if there is one. Where the service wants another key, the user is asked for it and
 * the request is sent again. An answer of any status is returned; no answer is a Failure.
 * @param {string} path
 * @param {Request} request
 * @returns {Promise<Response>}
 */
export async function postWithKey(path, request) {
  const { body, headers, signal, asking } = request
  const response = await fetch(path, {
    method: 'POST',
    body,
    headers: { Accept: 'application/json', ...headers, ...keyHeaders() },
    signal: signal ?? null,
  }).catch((error) => {
    if (signal?.aborted) throw error
    throw gone('The service does not answer: it may have been stopped, or the network is gone.')
  })
  if (response.status !== 401) return response
  const { message } = await errorIn(response.clone())
  await asking?.(true)
  if (signal?.aborted) return response
  const isGiven = await askForKey(message)
  await asking?.(false)
  return isGiven ? postWithKey(path, request) : response
}

/**
 * The same response, or a Failure with what the service says is wrong.
 * @param {Response} response
 */
export async function mustBeOk(response) {
  if (response.ok) return response
  const wait = response.headers.get('Retry-After')
  const error = await errorIn(response)
  // A proxy whose service is being restarted says so in words of its own.
  const isProxy = error.code === undefined && response.status >= 502
  const without = isProxy ? WAIT_S : undefined
  throw failure(error, response.status, wait === null ? without : Number(wait))
}

/**
 * @param {{ code?: string, message: string }} error
 * @param {number} status
 * @param {number} [retryAfter] seconds
 */
export function failure({ code, message }, status, retryAfter) {
  const wait = Number.isNaN(retryAfter) ? WAIT_S : retryAfter
  const mayPass = status >= 500 || PASSING.includes(status)
  return new Failure(message, { ...(code !== undefined && { code }), retryAfter: wait, mayPass })
}

/**
 * The service has not answered, or not to the end. It is tried again.
 * @param {string} message
 */
export function gone(message) {
  return new Failure(message, { retryAfter: WAIT_S, mayPass: true })
}

/**
 * @param {Response} response
 * @returns {Promise<{ code?: string, message: string }>}
 */
async function errorIn(response) {
  const { error } = await response.json().catch(() => ({}))
  return error ?? { message: `The service answered with ${response.status}.` }
}
