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
 * How long nothing may move on a connection whose answer is finished. Node compares twice, so that a connection is closed
 * between this time and twice this time after the client stopped reading.
 */
const TAKEN_WITHIN_MS = 10_000

/**
 * Bounds what clients that do not read hold in memory: each connection by time, all of them by bytes. A connection owes one
 * answer at most, see take-turns.ts. An answer that is streamed holds little, because of backpressure.
 */
export function boundOwedBytes(handler: Handler, limits: OwedLimits): Handler {
  const { maxOwedBytes, answerWithinMs } = limits
  // The oldest first. The memory of an answer is free only when its last byte has been taken.
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
