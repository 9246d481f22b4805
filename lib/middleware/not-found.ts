import type { RouterContext } from '@koa/router'
import type { Context, Middleware } from '../http/context.ts'
import { HttpError, unknownModel } from '../http/errors.ts'

/** What no route has taken: a path that is served with other methods, a model that is not served, or nothing. */
export function notFound(): Middleware {
  return (ctx: Context & Partial<Pick<RouterContext, 'matched'>>) => {
    const methods = new Set((ctx.matched ?? []).flatMap((layer) => layer.methods))
    if (methods.size > 0) {
      const allow = [...methods].sort().join(', ')
      throw new HttpError('ERR_METHOD_NOT_ALLOWED', `${ctx.state.path} takes ${allow}, not ${ctx.method}.`, {
        Allow: allow,
      })
    }
    if (ctx.method === 'POST' && /^\/[^/]+$/.test(ctx.state.path)) {
      throw unknownModel(ctx.state.path.slice(1))
    }
    throw new HttpError('ERR_NOT_FOUND', `Nothing is served at ${ctx.state.path}.`)
  }
}
