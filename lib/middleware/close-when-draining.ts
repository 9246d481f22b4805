import type { Middleware, ServiceState } from '../http/context.ts'

/** Closes each connection after its answer while the service drains: keep-alive connections would delay the end. */
export function closeWhenDraining(service: ServiceState): Middleware {
  return async (ctx, next) => {
    await next()
    if (service.draining) ctx.set('Connection', 'close')
  }
}
