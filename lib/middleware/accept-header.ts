import type { Middleware } from '../http/context.ts'

/** Browsers send a few hundred characters. A longer header is taken for none: to read one takes time that grows with its square. */
const MAX_LENGTH = 1024

/**
 * Some clients ask for `application/json;charset=UTF-8`. Read strictly, none of our types has that parameter; whatever is
 * a text here is UTF-8.
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
