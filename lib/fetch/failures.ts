import { HttpError } from '../http/errors.ts'

/**
 * Forbidden, not resolved, not reached, cut off: all get the same code and sentence, because more detail would let a
 * client map the network behind this service. The log gets the cause.
 */
export function notDownloaded(cause: unknown): HttpError {
  const error = new HttpError('ERR_URL_FETCH', 'The image at this address could not be downloaded.')
  error.cause = cause
  return error
}

export function badUrl(sentence: string): HttpError {
  return new HttpError('ERR_URL_INVALID', sentence)
}

export function badStatus(status: number): HttpError {
  return new HttpError(
    'ERR_URL_STATUS',
    `The image server must answer with status 200, but answered with ${status}.`,
  )
}

export function tooManyRedirects(most: number): HttpError {
  return new HttpError('ERR_URL_STATUS', `The image server must redirect at most ${most} times.`)
}

export function tooSlow(what: string, ms: number): HttpError {
  return new HttpError('ERR_URL_TIMEOUT', `The image server must ${what} within ${ms} ms.`)
}

export function tooLarge(most: number): HttpError {
  return new HttpError('ERR_URL_TOO_LARGE', `The image at this address must have at most ${most} bytes.`)
}

export function queueFull(sentence: string): HttpError {
  return new HttpError('ERR_QUEUE_FULL', sentence)
}

export function closing(): HttpError {
  return new HttpError('ERR_NOT_READY', 'The service is shutting down and downloads no more images.')
}
