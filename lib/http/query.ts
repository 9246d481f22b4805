import { type ParsedUrlQuery, parse } from 'node:querystring'
import type { Context } from './context.ts'

/** No route knows more than a handful; what comes behind these is not read. */
const MAX_PARAMETERS = 64

/**
 * The parameters of a request. Koa's own `ctx.query` goes through all of them again for each of them: "?a&a&a…" within
 * the limit on headers took it more than a second, in which nobody else was answered.
 */
export function queryOf(ctx: Pick<Context, 'querystring'>): ParsedUrlQuery {
  return parse(ctx.querystring, '&', '=', { maxKeys: MAX_PARAMETERS })
}
