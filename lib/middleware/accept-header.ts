import type { Middleware } from '../state.ts'

/**
 * Some clients ask for `application/json;charset=UTF-8`. Read strictly, none of our types has that parameter; whatever is
 * a text here is UTF-8.
 */
export function acceptHeader(): Middleware {
  return (ctx, next) => {
    const { headers } = ctx.req
    if (headers.accept !== undefined) headers.accept = headers.accept.replace(/;\s*charset=[^,;]*/gi, '')
    return next()
  }
}
