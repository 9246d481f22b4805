import type { Logger } from 'pino'
import { clientAddress } from '../http/client-address.ts'
import type { Middleware } from '../http/context.ts'
import { finalStatus } from '../http/final-status.ts'

const MAX_LISTENERS = 32

/** Logs one line per request, when the answer is sent or the client has left. */
export function accessLog(log: Logger): Middleware {
  return (ctx, next) => {
    const start = performance.now()
    // A closed connection no longer has an address.
    const client = clientAddress(ctx)
    // Several middleware listen for the end of the answer, and a body that is a stream adds more listeners.
    ctx.res.setMaxListeners(MAX_LISTENERS)
    ctx.res.once('close', () => {
      log.info(
        {
          requestId: ctx.state.requestId,
          client,
          method: ctx.method,
          // Without the query, which may contain an image URL or a token of the user.
          path: ctx.state.path,
          status: finalStatus(ctx),
          code: ctx.res.getHeader('X-Error-Code'),
          ms: Math.round(performance.now() - start),
          bytes: ctx.length ?? 0,
        },
        'request',
      )
    })
    return next()
  }
}
