import helmet from 'koa-helmet'
import type { Middleware } from '../http/context.ts'

/** Our pages load nothing but their own files; `blob:` and `data:` are the previews of chosen images. */
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
    // The same as frameAncestors, for browsers that do not know it.
    xFrameOptions: { action: 'deny' },
    // TLS ends at a proxy in front, and it is the proxy's to promise it.
    strictTransportSecurity: false,
    // Over plain http, as in a local network, browsers ignore both and complain on every page. Nothing is lost: no page
    // opens a window, and none can be framed.
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
  })
}
