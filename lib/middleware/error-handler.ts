import { dialectOf, OWN } from '../dialects/all.ts'
import { answerThenDrain } from '../http/answer-then-drain.ts'
import type { Context, Middleware } from '../http/context.ts'
import { describeError } from '../http/errors.ts'
import { errorPage } from '../pages/error-page.ts'
import type { Log } from '../process/log.ts'

type Description = ReturnType<typeof describeError>

/** The only place where an error becomes an answer. */
export function errorHandler(log: Log): Middleware {
  return async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      const description = describeError(error)
      log[levelOf(description.status)]({ requestId: ctx.state.requestId, err: error }, 'request failed')
      answer(ctx, description, error)
    }
  }
}

/** A fault of ours; a service that has too much to do, or none yet; or a client's mistake, with which it must not fill the log. */
function levelOf(status: number): 'error' | 'warn' | 'debug' {
  if (status < 500) return 'debug'
  return status === 500 || status === 502 ? 'error' : 'warn'
}

function answer(ctx: Context, description: Description, error: unknown): void {
  const { status, retryAfter, closes, code, message } = description
  const dialect = dialectOf(ctx.state.path)
  ctx.status = dialect.status?.(description) ?? status
  ctx.set(headersOf(error))
  // For the shapes that have no place for it.
  ctx.set('X-Error-Code', code)
  if (retryAfter !== undefined) ctx.set('Retry-After', String(retryAfter))
  const asPage = dialect === OWN && ctx.accepts('json', 'html') === 'html'
  ctx.type = asPage ? 'html' : 'json'
  ctx.body = asPage
    ? (ctx.state.errorPage ?? errorPage)({ status, code, message, requestId: ctx.state.requestId })
    : JSON.stringify(dialect.body(description, ctx))
  if (closes) answerThenDrain(ctx)
}

function headersOf(error: unknown): Record<string, string> {
  const headers = error instanceof Error && 'headers' in error ? error.headers : undefined
  return typeof headers === 'object' && headers !== null ? { ...headers } : {}
}
