import cors from '@koa/cors'
import type { Middleware } from '../http/context.ts'

/** What a page of another site may read beside the body; browsers hide every other header from it. */
const EXPOSED = [
  'X-Request-Id',
  'X-Error-Code',
  'X-Model-Version',
  'X-Report-Id',
  'Retry-After',
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'RateLimit-Policy',
]
const ALLOWED = ['Content-Type', 'Authorization', 'X-Api-Key', 'X-Request-Id']
/** A browser asks again after ten minutes; each preflight costs a round trip. */
const PREFLIGHT_SECONDS = 600

/**
 * Lets pages of the listed origins call. It stands above the error handler, so that what it sets is on errors too.
 * Never with credentials: there are no cookies, and keys come in headers that the page has to set itself.
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
    // A plain <img> of another site says no origin, and helmet's same-origin would keep what everybody may read from it.
    // For listed origins it stays: their pages load with CORS (<img crossorigin>), which it does not apply to.
    if (isForAll) ctx.set('Cross-Origin-Resource-Policy', 'cross-origin')
    return middleware(ctx, next)
  }
}
