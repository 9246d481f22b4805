import { customAlphabet } from 'nanoid'
import type { Middleware } from '../http/context.ts'

/** A proxy's id is taken over when it can do no harm in a header, a log line or a page. */
const SAFE_ID = /^[\w.:-]{1,64}$/

// Letters and digits alone: an id that begins with "-" would look like a formula in a spreadsheet, and a double click does
// not select an id with "-" in it as one word. 21 of 62 characters have 125 random bits.
const newId = customAlphabet('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz', 21)

/** Whether a text can be the id of a request. */
export const isRequestId = (text: string): boolean => SAFE_ID.test(text)

/** Gives each request the id under which the client and the log both know it. */
export function requestId(): Middleware {
  return (ctx, next) => {
    const given = ctx.get('X-Request-Id')
    ctx.state.requestId = isRequestId(given) ? given : newId()
    ctx.set('X-Request-Id', ctx.state.requestId)
    return next()
  }
}
