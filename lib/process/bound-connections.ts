import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { networkOfPeer } from '../http/client-address.ts'

export interface ConnectionLimits {
  readonly maxConnections: number
  /** per IPv4 address or IPv6 /64 network; Infinity behind a proxy, which has the connections of all clients */
  readonly maxPerAddress: number
  /** An idle connection was closed to make room, or a new one was refused. */
  onClosed(): void
}

/** Browsers connect in advance; after this time, they have to connect again. */
const FIRST_BYTE_MS = 10_000
/** Kept free for connections that come at the same time: Node refuses connections above `maxConnections` by itself. */
const FREE_SHARE = 1 / 20

/** The connections of one address. `idle` has those without a request, the longest idle one first. */
interface Peer {
  connections: number
  readonly idle: Set<Socket>
}

/**
 * Closes connections that send nothing, and closes idle connections in favour of new ones. An address with `maxPerAddress`
 * connections loses one of its own; near `maxConnections`, the address with the most idle connections loses one. Connections
 * with a request stay.
 */
export function boundConnections(server: Server, limits: ConnectionLimits): void {
  const { maxConnections, maxPerAddress, onClosed } = limits
  const peers = new Map<string, Peer>()
  const peerOf = new WeakMap<Socket, Peer>()
  const requests = new WeakMap<Socket, number>()
  const mostWithoutNeed = maxConnections - Math.ceil(maxConnections * FREE_SHARE)
  let connections = 0
  server.maxConnections = maxConnections

  server.on('connection', (socket) => {
    socket.setTimeout(FIRST_BYTE_MS)
    const network = networkOfPeer(socket)
    const peer = peers.get(network) ?? { connections: 0, idle: new Set() }
    if (peer.connections >= maxPerAddress && !closeIdle(peer)) {
      socket.destroy()
      onClosed()
      return
    }
    if (connections >= mostWithoutNeed) closeIdle(mostIdle(peers))
    peers.set(network, peer)
    peerOf.set(socket, peer)
    connections++
    peer.connections++
    peer.idle.add(socket)
    socket.once('close', () => {
      connections--
      peer.connections--
      peer.idle.delete(socket)
      if (peer.connections === 0) peers.delete(network)
    })
  })
  server.on('request', follow).on('checkContinue', follow)

  function closeIdle(peer: Peer | undefined): boolean {
    const [socket] = peer?.idle ?? []
    if (socket === undefined) return false
    // Other connections may come before the event "close" does.
    peer?.idle.delete(socket)
    socket.destroy()
    onClosed()
    return true
  }

  function follow({ socket }: IncomingMessage, res: ServerResponse): void {
    const idle = peerOf.get(socket)?.idle
    idle?.delete(socket)
    requests.set(socket, (requests.get(socket) ?? 0) + 1)
    res.once('close', () => {
      const left = (requests.get(socket) ?? 1) - 1
      requests.set(socket, left)
      if (left === 0 && !socket.destroyed) idle?.add(socket)
    })
  }
}

function mostIdle(peers: ReadonlyMap<string, Peer>): Peer | undefined {
  let most: Peer | undefined
  for (const peer of peers.values()) if (peer.idle.size > (most?.idle.size ?? 0)) most = peer
  return most
}
