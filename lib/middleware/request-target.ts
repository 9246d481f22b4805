import type { Context, Middleware } from '../http/context.ts'
import { HttpError } from '../http/errors.ts'

/** RFC 3986: the percent code of such a character means the character. Other codes, such as %2F, differ from it. */
const UNRESERVED = /^[\w.~-]$/

/**
 * Reads the path once, and normalizes the path: /%76gg is /vgg for the router, for the key check and in the log. Koa parses the
 * request line at each access of `ctx.path`, and throws for an invalid one ("GET http://["). In a listener that runs after the
 * answer, nothing would catch this error.
 */
export function requestTarget(): Middleware {
  return (ctx, next) => {
    const path = readPath(ctx)
    ctx.state.path = path.replace(/%[\da-f]{2}/gi, decodeUnreserved)
    if (ctx.state.path !== path) ctx.url = ctx.url.replace(path, () => ctx.state.path)
    return next()
  }
}

/** Refuses requests without a valid path, and with more than one Host. Runs below the error handler. */
export function refuseBadTarget(): Middleware {
  return (ctx, next) => {
    if (ctx.state.path === '') {
      throw new HttpError('ERR_BAD_REQUEST', 'The request line has no valid path.')
    }
    if (!isDecodable(ctx.state.path)) {
      throw new HttpError(
        'ERR_BAD_REQUEST',
        `The path ${ctx.state.path} has a percent code that stands for no character.`,
      )
    }
    // Node uses the first Host, but a proxy in front may have used the last one.
    if ((ctx.req.headersDistinct.host?.length ?? 0) > 1) {
      throw new HttpError('ERR_BAD_REQUEST', 'A request must have one Host, but this request has more.')
    }
    return next()
  }
}

function readPath(ctx: Context): string {
  try {
    // For "GET http://", the path is undefined, although its type is string.
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
