import type { Middleware } from '../http/context.ts'
import { HttpError } from '../http/errors.ts'

/** `ctx.state.gone` fires when the client leaves before its answer is written, so that nothing is computed for nobody. */
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
