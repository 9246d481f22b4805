import { customAlphabet } from 'nanoid'
import type { Middleware } from '../http/context.ts'

/** An id from a proxy is kept if the id is harmless in a header, a log line and a page. */
const SAFE_ID = /^[\w.:-]{1,64}$/

// Letters and digits alone: an id that begins with "-" would look like a formula in a spreadsheet, and a double click does
// not select an id with "-" in it as one word. 21 of 62 characters have 125 random bits.
export const newRequestId: () => string = customAlphabet(
  '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
  21,
)

/** Whether a text can be a request id. */
export const isRequestId = (text: string): boolean => SAFE_ID.test(text)

/** Gives each request an id, which the answer and the log have in common. */
export function requestId(): Middleware {
  return (ctx, next) => {
    const given = ctx.get('X-Request-Id')
    ctx.state.requestId = isRequestId(given) ? given : newRequestId()
    ctx.set('X-Request-Id', ctx.state.requestId)
    return next()
  }
}
