import type { IncomingMessage, ServerResponse } from 'node:http'

export type Handler = (req: IncomingMessage, res: ServerResponse) => Promise<void>

export interface OwedLimits {
  /** the bytes of all finished answers that clients have not taken yet */
  readonly maxOwedBytes: number
  /** how long nothing may move on a connection that waits for its answer */
  readonly answerWithinMs: number
  /** A connection was closed because of `maxOwedBytes`. */
  onClosed(): void
}

/**
 * How long a client may take nothing of a finished answer. Node notices this between one and two such times after the client has
 * stopped reading.
 */
const TAKEN_WITHIN_MS = 10_000

/**
 * Bounds the memory of answers that clients do not read: by time for each connection, by bytes for all connections together. A
 * connection has one answer at a time, see take-turns.ts. A streamed answer needs little memory because of backpressure.
 */
export function boundOwedBytes(handler: Handler, limits: OwedLimits): Handler {
  const { maxOwedBytes, answerWithinMs } = limits
  // The oldest first. An answer counts in full until its last byte has been taken, because its memory is freed only then.
  const owed = new Map<ServerResponse, number>()
  let total = 0

  return async (req, res) => {
    req.socket.setTimeout(answerWithinMs)
    await handler(req, res)
    if (!res.writableEnded || res.writableFinished || res.destroyed) return
    req.socket.setTimeout(Math.min(TAKEN_WITHIN_MS, answerWithinMs))
    owed.set(res, res.writableLength)
    total += res.writableLength
    res.once('close', () => settle(res))
    for (const [oldest] of owed) {
      if (total <= maxOwedBytes) return
      settle(oldest)
      oldest.req.socket.destroy()
      limits.onClosed()
    }
  }

  function settle(res: ServerResponse): void {
    total -= owed.get(res) ?? 0
    owed.delete(res)
  }
}
