import { isIP } from 'node:net'
import { queueFull } from './failures.ts'
import type { HostRules } from './host-rules.ts'
import type { Resolve } from './resolve.ts'
import { stoppable } from './stoppable.ts'

/** The addresses of a host, once every one of them is known to be allowed. */
export type CheckedAddresses = (host: string, signal: AbortSignal) => Promise<readonly string[]>

/** Names of both families are given, and one of them may be dead here; nobody needs more than a second try of each. */
const TRIES_PER_FAMILY = 2

/** The system's lookups cannot be called off. Hence a bound of their own, or clients that come and go could pile them up. */
export function checkedAddresses(rules: HostRules, resolve: Resolve, maxLookups: number): CheckedAddresses {
  let running = 0

  async function addressesOf(host: string, signal: AbortSignal): Promise<readonly string[]> {
    if (isIP(host) !== 0) return [host]
    if (!rules.mayResolve(host)) throw new Error(`the name ${host} is not allowed`)
    if (running >= maxLookups) throw queueFull(`Too many names of hosts are looked up already (${running}).`)
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
    // A name that has one address inside and one outside is a trap, whichever of them would be taken.
    const closed = addresses.find((address) => !rules.mayReach(host, address))
    if (closed !== undefined) throw new Error(`${host} leads to ${closed}, which is not allowed`)
    if (addresses.length === 0) throw new Error(`${host} has no address`)
    const tries = [4, 6].flatMap((family) =>
      addresses.filter((address) => isIP(address) === family).slice(0, TRIES_PER_FAMILY),
    )
    return addresses.filter((address) => tries.includes(address))
  }
}
