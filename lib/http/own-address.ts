import type { Context } from './context.ts'

/** Names, addresses and a port. All else would be a host that nobody has, in a command that somebody pastes. */
const HOST = /^(\[[\da-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i

/** Where the client has the service from, for examples that can be pasted. */
export function ownAddress({ protocol, host }: Context): string {
  // What a proxy says of the protocol is the client's own word where the proxy only passes it on.
  const scheme = protocol === 'https' ? 'https' : 'http'
  return `${scheme}://${HOST.test(host) ? host : 'localhost'}`
}
