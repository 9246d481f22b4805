import { isIP } from 'node:net'
import { hostname } from 'node:os'
import type { Config } from '../config/config.ts'
import type { Middleware } from '../http/context.ts'
import { HttpError } from '../http/errors.ts'

/** No attacker can register such a name: "localhost", the name of a container, and the reserved .local and .internal. */
const PRIVATE_NAME = /^[^.]+$|\.(localhost|local|internal)$/
const MAX_SHOWN = 100

type Settings = Pick<Config, 'allowedHostnames' | 'host' | 'trustProxy'>

/**
 * Refuses requests for a host name that this service does not have. The owner of evil.example may let this name resolve to
 * 127.0.0.1 (DNS rebinding). Then the browser takes the service for a part of evil.example, and its pages may read every answer.
 *
 * IP addresses and PRIVATE_NAME are safe. With TRUST_PROXY, the proxy decides which names it serves.
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
