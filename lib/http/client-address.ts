import { isIP, type Socket } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { Context } from './context.ts'

/** The longest address with a zone, brackets and a port is much shorter. */
const MAX_LENGTH = 80
/** Four parts of 16 bits: a provider gives each customer at least a /64, so one client can have 2^64 addresses. */
const NETWORK_PARTS = 4

/** The address of the client, or of the proxy if the proxy forwarded no address ("unknown"). */
export function clientAddress(ctx: Context): string {
  return addressIn(ctx.ip) ?? addressIn(ctx.req.socket.remoteAddress ?? '') ?? 'unknown'
}

/** The network of the other end of a connection: a client, or the last proxy. */
export function networkOfPeer(socket: Socket): string {
  return networkOf(addressIn(socket.remoteAddress ?? '') ?? 'unknown')
}

/** What counts as one client: an IPv4 address, or the /64 network of an IPv6 address. */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address
  const { parts } = ipaddr.IPv6.parse(address)
  return `${parts
    .slice(0, NETWORK_PARTS)
    .map((part) => part.toString(16))
    .join(':')}::/64`
}

/** The address in its usual spelling, an IPv4-mapped IPv6 address as IPv4; undefined if the text is no address. */
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
