import type { Middleware } from '../http/context.ts'
import { HttpError } from '../http/errors.ts'

/** Aborts `ctx.state.gone` when the client leaves before the answer is written, so that work in vain stops. */
export function clientGone(): Middleware {
  return (ctx, next) => {
    const gone = new AbortController()
    ctx.state.gone = gone.signal
    ctx.res.once('close', () => {
      if (ctx.res.writableFinished) return
      gone.abort(new HttpError('ERR_ABORTED', 'The client closed the connection before its answer.'))
    })
    return next()
  }
}
