import type { IncomingMessage } from 'node:http'
import type { Config } from '../config.ts'
import { HttpError } from '../errors.ts'

export type BodyLimits = Pick<Config, 'maxBodyBytes' | 'bodyTimeoutMs'>

/** The raw body, in memory, within its limits of size and time. What comes after a limit is read into nothing. */
export function readBody(req: IncomingMessage, { maxBodyBytes, bodyTimeoutMs }: BodyLimits): Promise<Buffer> {
  // A client that says how much it will send is refused before it has sent it.
  if (Number(req.headers['content-length'] ?? 0) > maxBodyBytes) return Promise.reject(tooLarge(maxBodyBytes))
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    const timer = setTimeout(() => settle(() => reject(tooSlow(bodyTimeoutMs))), bodyTimeoutMs)

    const onData = (chunk: Buffer) => {
      length += chunk.length
      if (length > maxBodyBytes) return settle(() => reject(tooLarge(maxBodyBytes)))
      chunks.push(chunk)
    }
    const onEnd = () => settle(() => resolve(Buffer.concat(chunks, length)))
    const onGone = () => settle(() => reject(gone()))
    const settle = (finish: () => void) => {
      clearTimeout(timer)
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

function tooSlow(bodyTimeoutMs: number): HttpError {
  return new HttpError('ERR_BODY_TIMEOUT', `The body must arrive within ${bodyTimeoutMs} ms.`)
}

function gone(): HttpError {
  return new HttpError('ERR_ABORTED', 'The client closed the connection before its body was complete.')
}
