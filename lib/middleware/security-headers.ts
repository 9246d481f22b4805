import helmet from 'koa-helmet'
import type { Middleware } from '../http/context.ts'

/** Our pages load their own files alone; `blob:` and `data:` are the previews of chosen images. */
const CONTENT_SECURITY_POLICY = {
  defaultSrc: ["'self'"],
  imgSrc: ["'self'", 'blob:', 'data:'],
  objectSrc: ["'none'"],
  baseUri: ["'none'"],
  formAction: ["'self'"],
  frameAncestors: ["'none'"],
}

export function securityHeaders(): Middleware {
  return helmet({
    // Without helmet's defaults: they allow inline styles, and upgrade plain-http localhost to https.
    contentSecurityPolicy: { useDefaults: false, directives: CONTENT_SECURITY_POLICY },
    // The same as frameAncestors, for browsers that do not know frameAncestors.
    xFrameOptions: { action: 'deny' },
    // With helmet's "no-referrer", a browser would send "Origin: null" with our own forms; see same-site.ts.
    referrerPolicy: { policy: 'same-origin' },
    // TLS ends at a proxy in front of this process, so only the proxy can promise TLS.
    strictTransportSecurity: false,
    // Over plain http, as in a local network, browsers ignore both headers and complain on every page. Nothing is lost: no
    // page opens a window, and no page can be framed.
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
  })
}
