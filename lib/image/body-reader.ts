import type { IncomingMessage } from 'node:http'
import type { Config } from '../config/config.ts'
import { HttpError } from '../http/errors.ts'

export type BodyLimits = Pick<Config, 'maxBodyBytes' | 'bodyTimeoutMs' | 'maxQueueBytes'>

export type ReadBody = (req: IncomingMessage) => Promise<Buffer>

/** One reader for all requests: bounds each body, and the memory of all arriving bodies together. */
export function bodyReader(limits: BodyLimits): ReadBody {
  const arriving = { bytes: 0 }
  return (req) => readBody(req, limits, arriving)
}

/** The raw body in memory, within the limits of size and time. Data beyond a limit is discarded. */
function readBody(req: IncomingMessage, limits: BodyLimits, arriving: { bytes: number }): Promise<Buffer> {
  const { maxBodyBytes, bodyTimeoutMs, maxQueueBytes } = limits
  // A Content-Length beyond the limit is refused before the body arrives.
  if (Number(req.headers['content-length'] ?? 0) > maxBodyBytes) return Promise.reject(tooLarge(maxBodyBytes))
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    let held = 0
    const timer = setTimeout(() => settle(() => reject(tooSlow(bodyTimeoutMs))), bodyTimeoutMs)

    const onData = (chunk: Buffer) => {
      length += chunk.length
      if (length > maxBodyBytes) return settle(() => reject(tooLarge(maxBodyBytes)))
      chunks.push(chunk)
      arriving.bytes += chunk.length
      held += chunk.length
      if (arriving.bytes > maxQueueBytes) settle(() => reject(tooMany(maxQueueBytes)))
    }
    const onEnd = () => settle(() => resolve(Buffer.concat(chunks, length)))
    const onGone = () => settle(() => reject(gone()))
    const settle = (finish: () => void) => {
      clearTimeout(timer)
      arriving.bytes -= held
      held = 0
      req.off('data', onData).off('end', onEnd).off('close', onGone)
      chunks.length = length > maxBodyBytes ? 0 : chunks.length
      finish()
    }
    // The listener for 'error' stays: a connection that is reset later must not end the process.
    req.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone)
  })
}

function tooLarge(maxBodyBytes: number): HttpError {
  return new HttpError('ERR_BODY_TOO_LARGE', `The body must have at most ${maxBodyBytes} bytes.`)
}

function tooMany(maxQueueBytes: number): HttpError {
  return new HttpError(
    'ERR_QUEUE_FULL',
    `All request bodies that are arriving together have more than ${maxQueueBytes} bytes.`,
  )
}

function tooSlow(bodyTimeoutMs: number): HttpError {
  return new HttpError('ERR_BODY_TIMEOUT', `The body must arrive within ${bodyTimeoutMs} ms.`)
}

function gone(): HttpError {
  return new HttpError('ERR_ABORTED', 'The client closed the connection before its body was complete.')
}
