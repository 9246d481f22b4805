import type { Context } from './context.ts'

/** The status that the client got; 499 when it left before any. Koa's own is 404 until something has set it. */
export function finalStatus(ctx: Context): number {
  return ctx.res.headersSent ? ctx.status : 499
}
