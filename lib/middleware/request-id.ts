import { nanoid } from 'nanoid'
import type { Middleware } from '../http/context.ts'

/** A proxy's id is taken over when it can do no harm in a header, a log line or a page. */
const SAFE_ID = /^[\w.:-]{1,64}$/

/** Whether a text can be the id of a request. */
export const isRequestId = (text: string): boolean => SAFE_ID.test(text)

/** Gives each request the id under which the client and the log both know it. */
export function requestId(): Middleware {
  return (ctx, next) => {
    const given = ctx.get('X-Request-Id')
    ctx.state.requestId = isRequestId(given) ? given : nanoid()
    ctx.set('X-Request-Id', ctx.state.requestId)
    return next()
  }
}
