import type { Logger } from 'pino'
import { clientAddress } from '../http/client-address.ts'
import type { Middleware } from '../http/context.ts'
import { finalStatus } from '../http/final-status.ts'

const MAX_LISTENERS = 32

/** One line per request, written when its connection is done with it, however that came about. */
export function accessLog(log: Logger): Middleware {
  return (ctx, next) => {
    const start = performance.now()
    // Once it is closed, a connection has no address any more.
    const client = clientAddress(ctx)
    // Each of these listens for the end of its answer, a stream as a body to it several times over.
    ctx.res.setMaxListeners(MAX_LISTENERS)
    ctx.res.once('close', () => {
      log.info(
        {
          requestId: ctx.state.requestId,
          client,
          method: ctx.method,
          // Without the query: it may hold an address or a token of the user's.
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
