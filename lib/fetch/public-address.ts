import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

export type Address = ipaddr.IPv4 | ipaddr.IPv6

/** The part of IPv6 from which public hosts get addresses; the rest is special or not assigned. */
const GLOBAL_UNICAST_V6 = ipaddr.parseCIDR('2000::/3')

/** Addresses that look public but are not: the platform services of Azure, and the withdrawn IPv6 test network. */
const NOT_OUTSIDE = ['168.63.129.16/32', '3ffe::/16'].map((network) => ipaddr.parseCIDR(network))

/** IPv6 prefixes that contain an IPv4 address: mapped, compatible, and the well-known prefix of NAT64. */
const IPV4_PREFIXES = ['::ffff:0:0/96', '::/96', '64:ff9b::/96'].map((prefix) => ipaddr.parseCIDR(prefix))

/**
 * The address, if the text is in the usual notation. Zones ("fe80::1%eth0") and the decimal, octal and short
 * notations of IPv4 are refused: ipaddr.js would accept them, but other programs read them differently.
 */
export function parseAddress(text: string): Address | undefined {
  if (text.includes('%') || isIP(text) === 0) return undefined
  return ipaddr.parse(text)
}

/**
 * Whether the address belongs to a host on the public internet. Every range that ipaddr.js does not call unicast is
 * refused, and every IPv6 address outside 2000::/3, where special ranges lie that ipaddr.js may not know yet.
 * Tunnel addresses (6to4, Teredo, NAT64) are refused too: they lead to an IPv4 address that has not been checked.
 */
export function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast') return false
  if (NOT_OUTSIDE.some(([base, bits]) => base.kind() === address.kind() && address.match([base, bits])))
    return false
  return address.kind() === 'ipv4' || address.match(GLOBAL_UNICAST_V6)
}

/** The address in every form that the kernel or a network treats as the same host. */
export function formsOf(address: Address): readonly Address[] {
  if (address instanceof ipaddr.IPv4) return [address, address.toIPv4MappedAddress()]
  if (!IPV4_PREFIXES.some((prefix) => address.match(prefix))) return [address]
  return [address, new ipaddr.IPv4(address.toByteArray().slice(12))]
}
