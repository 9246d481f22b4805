import { lookup, Resolver } from 'node:dns/promises'

/** All addresses of a name. */
export type Resolve = (host: string, signal: AbortSignal) => Promise<readonly string[]>

const TRY_MS = 1500
const TRIES = 2

/** Resolves like the operating system, hosts file included: for names that the operator has allowed. */
export async function resolveBySystem(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true, order: 'verbatim' })
  return found.map(({ address }) => address)
}

/**
 * Asks the DNS servers directly: for names that clients choose. A lookup by the system occupies one of only two threads
 * and cannot be cancelled, so three names whose servers never answer would stop all downloads.
 */
export async function resolveByDns(
  host: string,
  signal: AbortSignal,
  servers?: readonly string[],
): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: TRY_MS, tries: TRIES })
  if (servers) resolver.setServers(servers)
  const cancel = () => resolver.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  try {
    const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
    const [failed] = answers.filter((answer) => answer.status === 'rejected')
    if (found.length === 0 && failed) throw failed.reason
    return found
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}
