import cors from '@koa/cors'
import type { Middleware } from '../http/context.ts'

/** The headers that pages of other sites may read; browsers hide all others from them. */
const EXPOSED = [
  'X-Request-Id',
  'X-Error-Code',
  'X-Model-Version',
  'X-Report-Id',
  'X-Shape',
  'Retry-After',
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'RateLimit-Policy',
]
const ALLOWED = ['Content-Type', 'Authorization', 'X-Api-Key', 'X-Request-Id']
/** How long a browser remembers the answer to a preflight. Each preflight costs a round trip. */
const PREFLIGHT_SECONDS = 600

/**
 * Lets pages of the listed origins call. Runs above the error handler, so that errors have the same headers. Credentials are
 * never allowed: there are no cookies, and a page sets the header with the key itself.
 */
export function crossOrigin(origins: readonly string[]): Middleware {
  if (origins.length === 0) return (_ctx, next) => next()
  const isForAll = origins.includes('*')
  const middleware = cors({
    origin: (ctx) => (isForAll ? '*' : (origins.find((origin) => origin === ctx.get('Origin')) ?? '')),
    allowMethods: ['GET', 'HEAD', 'POST'],
    allowHeaders: ALLOWED,
    exposeHeaders: EXPOSED,
    maxAge: PREFLIGHT_SECONDS,
    keepHeadersOnError: false,
  })
  return (ctx, next) => {
    // A plain <img> of another site sends no origin, so helmet's "same-origin" would block images that every page may read.
    // With listed origins, "same-origin" stays: pages load images with <img crossorigin>, which the header does not block.
    if (isForAll) ctx.set('Cross-Origin-Resource-Policy', 'cross-origin')
    return middleware(ctx, next)
  }
}
