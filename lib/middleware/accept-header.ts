import type { Middleware } from '../http/context.ts'

/** Browsers send a few hundred characters. A longer header counts as none, because parsing takes quadratic time. */
const MAX_LENGTH = 1024

/**
 * Removes `charset` from the header. Some clients ask for `application/json;charset=UTF-8`, which, strictly read, matches none of
 * our types. All our texts are UTF-8.
 */
export function acceptHeader(): Middleware {
  return (ctx, next) => {
    const { headers } = ctx.req
    const { accept = '' } = headers
    if (accept.length > MAX_LENGTH) headers.accept = '*/*'
    else if (accept !== '') headers.accept = accept.replace(/;\s*charset=[^,;]*/gi, '')
    return next()
  }
}
