import ipaddr from 'ipaddr.js'
import { type Address, formsOf, isPublic, parseAddress } from './public-address.ts'

/** The hosts that downloads may use. `host` is a lower-case name without trailing dot, or an address without brackets. */
export interface HostRules {
  /** whether the name may be resolved at all; an address is judged by `mayReach` alone */
  mayResolve(host: string): boolean
  /** whether the operator allows the name in ALLOW_HOSTS */
  isAllowedName(host: string): boolean
  /** whether a download from this host may connect to the address */
  mayReach(host: string, address: string): boolean
}

type Network = [Address, number]

interface HostList {
  hasName(host: string): boolean
  readonly networks: readonly Network[]
}

/**
 * Public addresses are open. All others are closed unless the operator allows the address, or the name that resolves to
 * it: allowing a name means trusting its DNS. A denied name or address stays closed even if it is allowed as well.
 */
export function hostRules(allowHosts: readonly string[], denyHosts: readonly string[]): HostRules {
  const allowed = readList(allowHosts)
  const denied = readList(denyHosts)
  return {
    mayResolve(host) {
      if (denied.hasName(host)) return false
      // A name without a dot belongs to the local network: "localhost", a container, a machine of the search domain.
      return host.includes('.') || allowed.hasName(host)
    },
    isAllowedName: (host) => allowed.hasName(host),
    mayReach(host, text) {
      const address = parseAddress(text)
      if (address === undefined || denied.hasName(host)) return false
      // The kernel connects ::ffff:10.0.0.1 to 10.0.0.1, so a denied address is denied in every form. An allowed one is
      // allowed only as written: 10.0.0.0/8 opens no IPv6 address; ::ffff:a00:0/104 would open the mapped ones.
      if (formsOf(address).some((form) => contains(denied.networks, form))) return false
      return isPublic(address) || allowed.hasName(host) || contains(allowed.networks, address)
    },
  }
}

function readList(entries: readonly string[]): HostList {
  const names = new Set<string>()
  const endings: string[] = []
  const networks: Network[] = []
  for (const entry of entries) {
    if (ipaddr.isValidCIDR(entry)) networks.push(ipaddr.parseCIDR(entry))
    else if (parseAddress(entry) !== undefined) networks.push(network(entry))
    else if (entry.startsWith('.')) endings.push(entry)
    else names.add(entry)
  }
  return {
    hasName: (host) => names.has(host) || endings.some((ending) => host.endsWith(ending)),
    networks,
  }
}

function network(text: string): Network {
  const address = ipaddr.parse(text)
  return [address, address.kind() === 'ipv4' ? 32 : 128]
}

function contains(networks: readonly Network[], address: Address): boolean {
  return networks.some(([base, bits]) => base.kind() === address.kind() && address.match([base, bits]))
}
