import type { Context, Middleware } from '../http/context.ts'
import { HttpError } from '../http/errors.ts'

/**
 * Reads the path once, before anything else does. Koa reads it anew from the request line whenever it is asked, and
 * throws when that is no address ("GET http://["): in a listener, after the answer, nobody would catch it.
 */
export function requestTarget(): Middleware {
  return (ctx, next) => {
    ctx.state.path = readPath(ctx)
    return next()
  }
}

/** Below the error handler: what has no path, or says twice whom it is for, gets no further. */
export function refuseBadTarget(): Middleware {
  return (ctx, next) => {
    if (ctx.state.path === '') {
      throw new HttpError('ERR_BAD_REQUEST', 'The request line holds no address that can be read.')
    }
    // Node keeps the first, a proxy in front may have gone by the last.
    if ((ctx.req.headersDistinct.host?.length ?? 0) > 1) {
      throw new HttpError('ERR_BAD_REQUEST', 'A request has one Host, but this one has more.')
    }
    return next()
  }
}

function readPath(ctx: Context): string {
  try {
    // Of "GET http://" Koa makes no path at all, whatever its type says.
    return ctx.path ?? ''
  } catch {
    return ''
  }
}
