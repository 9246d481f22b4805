import type { Middleware, ServiceState } from '../http/context.ts'

/** A kept-alive connection would hold up the end of the process: each ends with the answer it is waiting for. */
export function closeWhenDraining(service: ServiceState): Middleware {
  return async (ctx, next) => {
    await next()
    if (service.draining) ctx.set('Connection', 'close')
  }
}
