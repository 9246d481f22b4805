import { isIP, connect as openSocket, type Socket } from 'node:net'
import { connect as openTls } from 'node:tls'
import { tooSlow } from './failures.ts'
import type { ImageUrl } from './image-url.ts'
import { stoppable } from './stoppable.ts'

/** For all addresses of a host together, including the TLS handshake. */
const CONNECT_TIMEOUT_MS = 3000

export interface Target extends ImageUrl {
  /** already checked; tried in this order */
  readonly addresses: readonly string[]
  /** called again with the address that the socket is really connected to */
  readonly mayReach: (address: string) => boolean
}

/** Connects to one of the addresses and checks the peer before a byte is sent. Never resolves a name. */
export async function dial(target: Target, signal: AbortSignal): Promise<Socket> {
  const end = performance.now() + CONNECT_TIMEOUT_MS
  const socket = await openFirst(target, end, signal)
  try {
    if (!target.mayReach(socket.remoteAddress ?? '')) {
      throw new Error(`${target.host} is connected to ${socket.remoteAddress}, which is not allowed`)
    }
    return target.url.protocol === 'https:' ? await secure(socket, target.host, end, signal) : socket
  } catch (error) {
    socket.destroy()
    throw error
  }
}

/** Each address gets an equal share of the remaining time, so a dead first address cannot use up all of it. */
async function openFirst({ addresses, port }: Target, end: number, signal: AbortSignal): Promise<Socket> {
  let failure: unknown
  for (const [index, host] of addresses.entries()) {
    const share = (end - performance.now()) / (addresses.length - index)
    try {
      return await connected(() => openSocket({ host, port, noDelay: true }), 'connect', share, signal)
    } catch (error) {
      signal.throwIfAborted()
      failure = error
    }
  }
  throw failure
}

function secure(socket: Socket, host: string, end: number, signal: AbortSignal): Promise<Socket> {
  // A name is sent as SNI and must be in the certificate. An IP address cannot be sent as SNI, but must be in the
  // certificate as well: `host` makes TLS check that.
  const servername = isIP(host) === 0 ? host : ''
  const open = () => openTls({ socket, host, servername, ALPNProtocols: ['http/1.1'] })
  return connected(open, 'secureConnect', end - performance.now(), signal)
}

function connected(
  open: () => Socket,
  event: 'connect' | 'secureConnect',
  withinMs: number,
  signal: AbortSignal,
): Promise<Socket> {
  return stoppable(signal, (resolve, reject) => {
    const socket = open()
    const onClose = () => reject(new Error('closed before it was connected'))
    const late = () => reject(tooSlow('accept the connection', CONNECT_TIMEOUT_MS))
    const timer = setTimeout(late, Math.max(1, withinMs))
    // The error listener is never removed: a later error without a listener would end the process.
    socket
      .on('error', reject)
      .once('close', onClose)
      .once(event, () => resolve(socket))
    return (kept) => {
      clearTimeout(timer)
      socket.off('close', onClose)
      if (!kept) socket.destroy()
    }
  })
}
