import { describeError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Context, Middleware } from '../state.ts'
import { answerThenDrain } from './answer-then-drain.ts'

type Description = ReturnType<typeof describeError>

/** The only place where an error becomes an answer. */
export function errorHandler(log: Log): Middleware {
  return async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      const description = describeError(error)
      if (description.status >= 500) {
        log.error({ requestId: ctx.state.requestId, err: error }, 'request failed')
      }
      answer(ctx, description, error)
    }
  }
}

function answer(ctx: Context, description: Description, error: unknown): void {
  const { status, retryAfter, closes } = description
  ctx.status = status
  ctx.set(headersOf(error))
  if (retryAfter !== undefined) ctx.set('Retry-After', String(retryAfter))
  const asPage = ctx.accepts('json', 'html') === 'html'
  ctx.type = asPage ? 'html' : 'json'
  ctx.body = asPage ? page(description, ctx.state.requestId) : json(description, ctx.state.requestId)
  if (closes) answerThenDrain(ctx)
}

function headersOf(error: unknown): Record<string, string> {
  const headers = error instanceof Error && 'headers' in error ? error.headers : undefined
  return typeof headers === 'object' && headers !== null ? { ...headers } : {}
}

function json({ code, message }: Description, requestId: string): string {
  return JSON.stringify({ error: { code, message, requestId } })
}

function page({ status, code, message }: Description, requestId: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${status}</title>
<h1>${status}</h1>
<p>${escapeHtml(message)}</p>
<p><code>${escapeHtml(code)}</code> · <code>${escapeHtml(requestId)}</code></p>
</html>
`
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
