import { askForKey, keyHeaders } from './api-key.js'

/** Seconds until the next try when the answer gives no number. */
const WAIT_S = 2
/** Statuses of errors that may pass with the same picture: no key, a slow connection, too many requests. */
const PASSING = [401, 408, 429]

/**
 * @typedef {object} Request
 * @property {BodyInit} body
 * @property {Record<string, string>} [headers]
 * @property {AbortSignal} [signal]
 * @property {(isAsking: boolean) => unknown} [asking] called before and after the user is asked for a key; the dialog waits
 * for the result
 */

/** An error with a message for the user. */
export class Failure extends Error {
  /**
   * @param {string} message
   * @param {{ code?: string, retryAfter?: number | undefined, mayPass?: boolean }} [about] `code` is empty when no answer
   * came; `retryAfter` is in seconds; `mayPass` says that the same request may succeed later
   */
  constructor(message, { code = '', retryAfter, mayPass = false } = {}) {
    super(message)
    this.code = code
    this.retryAfter = retryAfter
    this.mayPass = mayPass
  }
}

/**
 * Sends a POST request with the key, if there is one. On a 401, asks the user for a key and sends the request
 * again. Returns an answer of any status; throws a Failure when no answer came.
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
    throw gone('The service does not answer. The service may have been stopped, or the network may be down.')
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
 * Returns the response, or throws a Failure with the service's message.
 * @param {Response} response
 */
export async function mustBeOk(response) {
  if (response.ok) return response
  const wait = response.headers.get('Retry-After')
  const error = await errorIn(response)
  // A proxy in front of a service that is being restarted answers with a page of its own.
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
 * The Failure for a missing or incomplete answer. The same request is sent again.
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
