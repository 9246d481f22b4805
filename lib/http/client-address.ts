import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { Context } from './context.ts'

/** The longest address with a zone, brackets and a port is well below this. */
const MAX_LENGTH = 80
/** What a provider gives to one customer at least: with any less, a client had 2^64 names to change between. */
const NETWORK_PARTS = 4

/** Who sent the request. Where a proxy wrote no address ("unknown"), it is the proxy itself. */
export function clientAddress(ctx: Context): string {
  return addressIn(ctx.ip) ?? addressIn(ctx.req.socket.remoteAddress ?? '') ?? 'unknown'
}

/** What one client is taken for: an IPv4 address, or the /64 network of an IPv6 one. */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address
  const { parts } = ipaddr.IPv6.parse(address)
  return `${parts
    .slice(0, NETWORK_PARTS)
    .map((part) => part.toString(16))
    .join(':')}::/64`
}

/** In its usual spelling, an IPv4 address in IPv6 clothes as what it is; undefined when it is none. */
function addressIn(text: string): string | undefined {
  if (text.length > MAX_LENGTH) return undefined
  const address = withoutPort(text).replace(/%.*$/, '')
  return isIP(address) === 0 ? undefined : ipaddr.process(address).toString()
}

/** Some proxies write the port too: 192.0.2.1:443, [2001:db8::1]:443. */
function withoutPort(text: string): string {
  const [, v6, v4] = /^(?:\[([^\]]+)\](?::\d+)?|([\d.]+):\d+)$/.exec(text) ?? []
  return v6 ?? v4 ?? text
}
