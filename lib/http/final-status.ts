import type { Context } from './context.ts'

/** The status that the client got, or 499 if the client left before the answer. Koa's ctx.status starts as 404. */
export function finalStatus(ctx: Context): number {
  return ctx.res.headersSent ? ctx.status : 499
}
