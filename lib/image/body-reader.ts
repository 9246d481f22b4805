import type { Config } from '../config/config.ts'
import type { Context } from '../http/context.ts'
import { HttpError } from '../http/errors.ts'

export type BodyLimits = Pick<Config, 'maxBodyBytes' | 'bodyTimeoutMs' | 'maxQueueBytes'>

type Exchange = Pick<Context, 'req' | 'res'>

export type ReadBody = (exchange: Exchange) => Promise<Buffer>

/** One reader for all requests: bounds each body, and the memory of all bodies whose requests have no answer yet. */
export function bodyReader(limits: BodyLimits): ReadBody {
  const all = { bytes: 0 }
  return (exchange) => readBody(exchange, limits, all)
}

/** The raw body in memory, within the limits of size and time. Data beyond a limit is discarded. */
function readBody({ req, res }: Exchange, limits: BodyLimits, all: { bytes: number }): Promise<Buffer> {
  const { maxBodyBytes, bodyTimeoutMs, maxQueueBytes } = limits
  // A Content-Length beyond the limit is refused before the body arrives.
  if (Number(req.headers['content-length'] ?? 0) > maxBodyBytes) return Promise.reject(tooLarge(maxBodyBytes))
  if (req.readableEnded) return Promise.reject(used())
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    let held = 0
    const timer = setTimeout(() => fail(tooSlow(bodyTimeoutMs)), bodyTimeoutMs)

    const onData = (chunk: Buffer) => {
      length += chunk.length
      if (length > maxBodyBytes) return fail(tooLarge(maxBodyBytes))
      chunks.push(chunk)
      all.bytes += chunk.length
      held += chunk.length
      if (all.bytes > maxQueueBytes) fail(tooMany(maxQueueBytes))
    }
    const onEnd = () => {
      settle()
      // Until the answer, because a body with an image URL stays in memory while the image is downloaded.
      if (res.destroyed) release()
      else res.once('close', release)
      resolve(Buffer.concat(chunks, length))
    }
    const onGone = () => fail(gone())
    const settle = () => {
      clearTimeout(timer)
      req.off('data', onData).off('end', onEnd).off('close', onGone)
    }
    const release = () => {
      all.bytes -= held
      held = 0
    }
    const fail = (error: HttpError) => {
      settle()
      release()
      chunks.length = 0
      reject(error)
    }
    // The listener for 'error' stays: a connection that is reset later must not end the process.
    req.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone)
  })
}

/** As a library, Tandem shares a request with the middleware of its program. */
function used(): HttpError {
  return new HttpError(
    'ERR_BODY_USED',
    'Another middleware has read the body of this request: Tandem must come before every body parser.',
  )
}

function tooLarge(maxBodyBytes: number): HttpError {
  return new HttpError('ERR_BODY_TOO_LARGE', `The body must have at most ${maxBodyBytes} bytes.`)
}

function tooMany(maxQueueBytes: number): HttpError {
  return new HttpError(
    'ERR_QUEUE_FULL',
    `All request bodies that wait for an answer together have more than ${maxQueueBytes} bytes.`,
  )
}

function tooSlow(bodyTimeoutMs: number): HttpError {
  return new HttpError('ERR_BODY_TIMEOUT', `The body must arrive within ${bodyTimeoutMs} ms.`)
}

function gone(): HttpError {
  return new HttpError('ERR_ABORTED', 'The client closed the connection before its body was complete.')
}
