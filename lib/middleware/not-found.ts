import type { RouterContext } from '@koa/router'
import type { Context, Middleware } from '../http/context.ts'
import { HttpError, unknownModel } from '../http/errors.ts'

/** Answers requests that no route has taken: OPTIONS, a wrong method, an unknown model, an unknown path. */
export function notFound(): Middleware {
  return (ctx: Context & Partial<Pick<RouterContext, 'matched'>>) => {
    const { method, state } = ctx
    const methods = new Set((ctx.matched ?? []).flatMap((layer) => layer.methods))
    if (method === 'OPTIONS' && (methods.size > 0 || state.path === '*')) {
      ctx.status = 204
      // "OPTIONS *" asks about the server as a whole.
      ctx.set('Allow', state.path === '*' ? 'GET, HEAD, POST' : listed(methods))
      return
    }
    if (methods.size > 0) {
      const allow = listed(methods)
      throw new HttpError('ERR_METHOD_NOT_ALLOWED', `${state.path} allows ${allow}, not ${method}.`, {
        Allow: allow,
      })
    }
    if (method === 'POST' && /^\/[^/]+$/.test(state.path)) {
      throw unknownModel(state.path.slice(1))
    }
    throw new HttpError('ERR_NOT_FOUND', `Nothing is served at ${state.path}.`)
  }
}

function listed(methods: ReadonlySet<string>): string {
  return [...methods].sort().join(', ')
}
