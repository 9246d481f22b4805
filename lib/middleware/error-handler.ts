import type { Logger } from 'pino'
import { answerThenDrain } from '../http/answer-then-drain.ts'
import type { Context, Middleware } from '../http/context.ts'
import { type ErrorShape, OWN_ERROR } from '../http/dialect.ts'
import { describeError, type ErrorDescription, type ShownError } from '../http/errors.ts'

interface Shapes {
  /** the shape of errors at a path */
  shapeAt(path: string): ErrorShape
  /** the page for a browser, if the route has no error page of its own; undefined for a service without pages */
  readonly page: ((error: ShownError) => string) | undefined
}

/** The only place where an error becomes an answer. */
export function errorHandler(log: Logger, shapes: Shapes): Middleware {
  return async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      const description = describeError(error)
      log[levelOf(description.status)]({ requestId: ctx.state.requestId, err: error }, 'request failed')
      answer(ctx, description, error, shapes)
    }
  }
}

/**
 * error: our fault. warn: overloaded or still starting. debug: the client's mistake, and reports that cannot be stored
 * (507), of which the feedback folder warns once for each reason.
 */
function levelOf(status: number): 'error' | 'warn' | 'debug' {
  if (status < 500 || status === 507) return 'debug'
  return status === 500 || status === 502 ? 'error' : 'warn'
}

function answer(
  ctx: Context,
  description: ErrorDescription,
  error: unknown,
  { shapeAt, page }: Shapes,
): void {
  const { status, retryAfter, closes, code, message } = description
  const shape = shapeAt(ctx.state.path)
  ctx.status = shape.status?.(description) ?? status
  ctx.set(headersOf(error))
  // Some shapes have no field for the code.
  ctx.set('X-Error-Code', code)
  if (retryAfter !== undefined) ctx.set('Retry-After', String(retryAfter))
  const asPage =
    shape === OWN_ERROR && ctx.accepts('json', 'html') === 'html' ? (ctx.state.errorPage ?? page) : undefined
  ctx.type = asPage ? 'html' : 'json'
  ctx.body = asPage
    ? asPage({ status, code, message, requestId: ctx.state.requestId })
    : JSON.stringify(shape.body(description, ctx))
  if (closes) answerThenDrain(ctx)
}

function headersOf(error: unknown): Record<string, string> {
  const headers = error instanceof Error && 'headers' in error ? error.headers : undefined
  return typeof headers === 'object' && headers !== null ? { ...headers } : {}
}
