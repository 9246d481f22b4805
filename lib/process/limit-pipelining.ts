import type { RequestListener } from 'node:http'
import type { Socket } from 'node:net'

/** Browsers and libraries wait for one answer before they ask again on the same connection. */
const MAX_OWED = 32

/**
 * Bounds the answers that are owed on one connection. Node begins all requests that come in one packet at once: 60 KB of
 * them, from somebody who then reads nothing, would have their thousand answers wait in memory.
 */
export function limitPipelining(handler: RequestListener): RequestListener {
  const owed = new WeakMap<Socket, number>()
  return (req, res) => {
    const { socket } = req
    const count = (owed.get(socket) ?? 0) + 1
    if (count > MAX_OWED) {
      socket.destroy()
      return
    }
    owed.set(socket, count)
    res.once('close', () => owed.set(socket, (owed.get(socket) ?? 1) - 1))
    return handler(req, res)
  }
}
