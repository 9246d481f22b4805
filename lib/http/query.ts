import { type ParsedUrlQuery, parse } from 'node:querystring'
import { z } from 'zod'
import type { Context } from './context.ts'

/** No route has more than a few parameters; the parameters beyond this number are not read. */
const MAX_PARAMETERS = 64

/**
 * The parameters of a request. Koa's own `ctx.query` takes quadratic time: "?a&a&a…" within the limit on headers
 * blocked the event loop for more than a second.
 */
export function queryOf(ctx: Pick<Context, 'querystring'>): ParsedUrlQuery {
  return parse(ctx.querystring, '&', '=', { maxKeys: MAX_PARAMETERS })
}

/** A whole number in decimal digits. z.coerce alone would also read "1e3", "0x10", " 7 " and the empty text. */
export function wholeNumber(min: number, max: number) {
  return z.string().regex(/^\d+$/).pipe(z.coerce.number<string>().int().min(min).max(max))
}
