import type { Middleware } from '../http/context.ts'

/** Our pages load their own files alone; `blob:` and `data:` are the previews of chosen images. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "img-src 'self' blob: data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
]

/**
 * The headers of helmet, but for four. A browser would answer helmet's "no-referrer" with "Origin: null" in our own forms
 * (see same-site.ts). Only the proxy in front of this process can promise TLS with Strict-Transport-Security. And over
 * plain http, as in a local network, browsers ignore Cross-Origin-Opener-Policy and Origin-Agent-Cluster and complain on
 * every page; nothing is lost, because no page opens a window, and no page can be framed.
 */
const HEADERS = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY.join(';'),
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'X-DNS-Prefetch-Control': 'off',
  'X-Download-Options': 'noopen',
  // The same as frame-ancestors, for browsers that do not know frame-ancestors.
  'X-Frame-Options': 'DENY',
  'X-Permitted-Cross-Domain-Policies': 'none',
  // The filter of older browsers could be turned against a page.
  'X-XSS-Protection': '0',
}

export function securityHeaders(): Middleware {
  return (ctx, next) => {
    ctx.set(HEADERS)
    return next()
  }
}
