import { isIP } from 'node:net'
import { hostname } from 'node:os'
import type { Config } from '../config/config.ts'
import type { Middleware } from '../http/context.ts'
import { HttpError } from '../http/errors.ts'

/** Nobody can register these names: "localhost", the name of a container, and what .local and .internal are kept for. */
const PRIVATE_NAME = /^[^.]+$|\.(localhost|local|internal)$/
const MAX_SHOWN = 100

type Settings = Pick<Config, 'allowedHostnames' | 'host' | 'trustProxy'>

/**
 * Refuses requests for a name that this service does not have. A page of evil.example may let its name lead to 127.0.0.1 (DNS
 * rebinding); for the browser, the service is then part of evil.example, and the page may read every answer.
 *
 * Addresses and names that nobody can register are safe. With TRUST_PROXY, the proxy chooses the names it answers for.
 */
export function knownHost({ allowedHostnames, host, trustProxy }: Settings): Middleware {
  const isOpen = allowedHostnames.includes('*') || (trustProxy > 0 && allowedHostnames.length === 0)
  if (isOpen) return (_ctx, next) => next()
  const own = [host, hostname(), ...allowedHostnames].map((name) => name.toLowerCase())
  return (ctx, next) => {
    const name = nameIn(ctx.host)
    // Only HTTP/1.0 has requests without a host, and browsers do not speak HTTP/1.0.
    if (ctx.host === '' || (name !== undefined && isKnown(name, own))) return next()
    throw new HttpError(
      'ERR_HOST',
      `No host "${ctx.host.slice(0, MAX_SHOWN)}" is served here; ALLOWED_HOSTNAMES can add this name.`,
    )
  }
}

/** As a browser reads a host: in lower case, 127.1 as 127.0.0.1, without port and without trailing dot. */
function nameIn(host: string): string | undefined {
  if (!URL.canParse(`http://${host}`)) return undefined
  return new URL(`http://${host}`).hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
}

function isKnown(name: string, own: readonly string[]): boolean {
  if (isIP(name) !== 0 || PRIVATE_NAME.test(name)) return true
  return own.some((known) => (known.startsWith('.') ? name.endsWith(known) : name === known))
}
