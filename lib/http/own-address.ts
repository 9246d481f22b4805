import type { Context } from './context.ts'

/** A host name or an address, with an optional port. No other text may get into a command that the user pastes. */
const HOST = /^(\[[\da-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i

/** The address under which the client reaches the service, for example commands that the user can paste. */
export function ownAddress({ protocol, host }: Context): string {
  // A proxy may pass on the client's own X-Forwarded-Proto, so the protocol may be any text.
  const scheme = protocol === 'https' ? 'https' : 'http'
  return `${scheme}://${HOST.test(host) ? host : 'localhost'}`
}
