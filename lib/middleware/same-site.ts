import type { Context, Middleware } from '../http/context.ts'
import { HttpError } from '../http/errors.ts'

const READING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])
const DEFAULT_PORT: Readonly<Record<string, string>> = { 'http:': ':80', 'https:': ':443' }
const MAX_SHOWN = 100

/**
 * Refuses requests that pages of other sites send, unless CORS_ORIGINS lists the site. A form, or a `fetch` of plain text, needs no
 * preflight: a browser sends such a request even to a service on 127.0.0.1, and hides only the answer.
 *
 * Browsers add Origin or Sec-Fetch-Site to each such request, and pages cannot change them. Other clients send neither.
 */
export function sameSite(corsOrigins: readonly string[]): Middleware {
  if (corsOrigins.includes('*')) return (_ctx, next) => next()
  return (ctx, next) => {
    const origin = ctx.get('Origin')
    if (READING.has(ctx.method) || isOwnPage(ctx, origin) || corsOrigins.includes(origin)) return next()
    const page =
      origin === '' || origin === 'null' ? 'Another site' : `A page of ${origin.slice(0, MAX_SHOWN)}`
    throw new HttpError(
      'ERR_CROSS_SITE',
      `${page} may not send ${ctx.method} requests; CORS_ORIGINS can allow it.`,
    )
  }
}

function isOwnPage(ctx: Context, origin: string): boolean {
  const site = ctx.get('Sec-Fetch-Site')
  // "none": the user has sent the request, not a page.
  if (site !== '') return site === 'same-origin' || site === 'none'
  // Browsers send Sec-Fetch-Site to https and to 127.0.0.1, but not to plain http in a local network.
  return origin === '' || isAt(origin, ctx.host)
}

/** Whether an origin is at this host. The scheme may differ: TLS ends at a proxy. */
function isAt(origin: string, host: string): boolean {
  if (!URL.canParse(origin)) return false
  const own = new URL(origin)
  const its = host.toLowerCase()
  return its === own.host || (own.port === '' && its === `${own.host}${DEFAULT_PORT[own.protocol] ?? ''}`)
}
