import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

export type Address = ipaddr.IPv4 | ipaddr.IPv6

/** All that is handed out to hosts of the public internet; the rest of IPv6 is either special or not assigned. */
const GLOBAL_UNICAST_V6 = ipaddr.parseCIDR('2000::/3')

/** Unicast by its number, and yet inside: the platform services of Azure; the old test network of IPv6, given back. */
const NOT_OUTSIDE = ['168.63.129.16/32', '3ffe::/16'].map((network) => ipaddr.parseCIDR(network))

/** Prefixes in front of an IPv4 address: mapped, compatible and the well-known one of NAT64. */
const IPV4_PREFIXES = ['::ffff:0:0/96', '::/96', '64:ff9b::/96'].map((prefix) => ipaddr.parseCIDR(prefix))

/**
 * The address, if it is written in the one usual way. A zone ("fe80::1%eth0") and the decimal, octal and short
 * spellings of IPv4 are none: ipaddr.js would read them, and others read them differently.
 */
export function parseAddress(text: string): Address | undefined {
  if (text.includes('%') || isIP(text) === 0) return undefined
  return ipaddr.parse(text)
}

/**
 * Whether the address is one of the public internet's hosts. It is a list of what is allowed: a range that
 * ipaddr.js knows by any name but unicast is refused, those it does not know yet are outside 2000::/3.
 * Addresses of tunnels (6to4, Teredo, NAT64) are refused too, as they lead to an IPv4 address that nobody checked.
 */
export function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast') return false
  if (NOT_OUTSIDE.some(([base, bits]) => base.kind() === address.kind() && address.match([base, bits])))
    return false
  return address.kind() === 'ipv4' || address.match(GLOBAL_UNICAST_V6)
}

/** The address and the other forms in which a network or the kernel would take it for the same host. */
export function formsOf(address: Address): readonly Address[] {
  if (address instanceof ipaddr.IPv4) return [address, address.toIPv4MappedAddress()]
  if (!IPV4_PREFIXES.some((prefix) => address.match(prefix))) return [address]
  return [address, new ipaddr.IPv4(address.toByteArray().slice(12))]
}
