import type { Context } from './state.ts'

/** Names, addresses and a port. All else would be a host that nobody has, in a command that somebody pastes. */
const HOST = /^(\[[\da-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i

/** Where the client has the service from, for examples that can be pasted. */
export function ownAddress({ protocol, host }: Context): string {
  return `${protocol}://${HOST.test(host) ? host : 'localhost'}`
}
