import { METHODS } from 'node:http'
import type { RouterContext } from '@koa/router'
import type { Context, Middleware } from '../http/context.ts'
import { finalStatus } from '../http/final-status.ts'
import type { Metrics } from '../status/metrics.ts'

/** Counts requests by the pattern of their route. Clients choose paths, so counters per path would have no bound. */
export function countRequests(metrics: Metrics): Middleware {
  return (ctx, next) => {
    const start = performance.now()
    ctx.res.once('close', () => {
      const method = METHODS.includes(ctx.method) ? ctx.method : 'other'
      metrics.countRequest(
        { method, route: routeOf(ctx), status: finalStatus(ctx) },
        (performance.now() - start) / 1000,
      )
    })
    return next()
  }
}

function routeOf(ctx: Context & Partial<Pick<RouterContext, '_matchedRoute'>>): string {
  return String(ctx._matchedRoute ?? 'none')
}
