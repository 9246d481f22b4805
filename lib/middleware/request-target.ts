import type { Context, Middleware } from '../http/context.ts'
import { HttpError } from '../http/errors.ts'

/** RFC 3986: a percent code of one of these means the same as the character. Any other code, such as %2F, does not. */
const UNRESERVED = /^[\w.~-]$/

/**
 * Reads the path once, before anything else does, and writes it in one way: /%76gg is /vgg for the router, for the check of
 * keys, and in the log. Koa reads it anew from the request line whenever it is asked, and
 * throws when that is no address ("GET http://["): in a listener, after the answer, nobody would catch it.
 */
export function requestTarget(): Middleware {
  return (ctx, next) => {
    const path = readPath(ctx)
    ctx.state.path = path.replace(/%[\da-f]{2}/gi, decodeUnreserved)
    if (ctx.state.path !== path) ctx.url = ctx.url.replace(path, () => ctx.state.path)
    return next()
  }
}

/** Below the error handler: what has no path, or says twice whom it is for, gets no further. */
export function refuseBadTarget(): Middleware {
  return (ctx, next) => {
    if (ctx.state.path === '') {
      throw new HttpError('ERR_BAD_REQUEST', 'The request line holds no address that can be read.')
    }
    if (!isDecodable(ctx.state.path)) {
      throw new HttpError(
        'ERR_BAD_REQUEST',
        `The path ${ctx.state.path} has a percent code that stands for no character.`,
      )
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

function decodeUnreserved(code: string): string {
  const character = String.fromCharCode(Number.parseInt(code.slice(1), 16))
  return UNRESERVED.test(character) ? character : code
}

function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}
