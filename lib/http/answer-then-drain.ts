import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { Context } from './context.ts'

/** How long a client may go on sending after the answer before the connection is cut. */
const DRAIN_MS = 2000

/**
 * Answers a request without using the rest of its body, and closes the connection after the answer.
 *
 * Closing a socket that still has unread bytes makes the kernel send a reset, and a reset throws away the answer that
 * the client has not read yet: the client would see "connection reset" and never the 413. So the answer is sent in
 * full, then the rest of the body is read and discarded until the client stops, and only then does the response end.
 */
export function answerThenDrain(ctx: Context): void {
  // The body has been read to its end, so the connection can stay open.
  if (ctx.req.complete) return
  ctx.set('Connection', 'close')
  const answer = Buffer.from(String(ctx.body))
  ctx.body = Readable.from(chunks(answer, ctx.req), { objectMode: false })
  // The Content-Length tells the client that the answer is complete before the response ends.
  ctx.length = answer.length
}

async function* chunks(answer: Buffer, req: IncomingMessage): AsyncGenerator<Buffer> {
  yield answer
  if (req.complete || req.destroyed) return
  const timeIsUp = new AbortController()
  const sent = new Promise<void>((resolve) => {
    req.once('end', resolve).once('close', resolve)
  })
  req.resume()
  await Promise.race([sent, delay(DRAIN_MS, undefined, { signal: timeIsUp.signal }).catch(() => undefined)])
  timeIsUp.abort()
}
