import { isIP } from 'node:net'
import { queueFull } from './failures.ts'
import type { HostRules } from './host-rules.ts'
import type { Resolve } from './resolve.ts'
import { stoppable } from './stoppable.ts'

/** The addresses of a host. Rejects unless every one of them is allowed. */
export type CheckedAddresses = (host: string, signal: AbortSignal) => Promise<readonly string[]>

/** A host may have IPv4 and IPv6 addresses, and one family may not work here; two tries of each are enough. */
const TRIES_PER_FAMILY = 2

/** A lookup by the system cannot be cancelled, so `maxLookups` bounds those that clients have started and left behind. */
export function checkedAddresses(rules: HostRules, resolve: Resolve, maxLookups: number): CheckedAddresses {
  let running = 0

  async function addressesOf(host: string, signal: AbortSignal): Promise<readonly string[]> {
    if (isIP(host) !== 0) return [host]
    if (!rules.mayResolve(host)) throw new Error(`the name ${host} is not allowed`)
    if (running >= maxLookups)
      throw queueFull(`Too many DNS lookups are running (${running} of ${maxLookups}).`)
    running++
    try {
      return await resolve(host, signal)
    } finally {
      running--
    }
  }

  return async (host, signal) => {
    const addresses = await stoppable<readonly string[]>(signal, (resolved, failed) => {
      addressesOf(host, signal).then(resolved, failed)
      return () => {}
    })
    // A name with one allowed and one forbidden address is an attack, so it is refused whichever would be used.
    const closed = addresses.find((address) => !rules.mayReach(host, address))
    if (closed !== undefined) throw new Error(`${host} leads to ${closed}, which is not allowed`)
    if (addresses.length === 0) throw new Error(`${host} has no address`)
    const tries = [4, 6].flatMap((family) =>
      addresses.filter((address) => isIP(address) === family).slice(0, TRIES_PER_FAMILY),
    )
    return addresses.filter((address) => tries.includes(address))
  }
}
