import { createServer, type Socket } from 'node:net'
import { closeAfterRun } from './leftovers.ts'

export interface RawServer {
  readonly port: number
  /** the number of connections opened so far */
  readonly connections: () => number
  /** the number of connections that are open now */
  readonly open: () => number
  /** the number of bytes received */
  readonly received: () => number
  /** the heads of all requests, unchanged */
  readonly heads: string[]
  close(): Promise<void>
}

export interface Behaviour {
  /** called for each request; `index` counts the requests */
  readonly request?: (socket: Socket, head: string, index: number) => void
  /** called for each new connection, before it has sent anything */
  readonly connection?: (socket: Socket) => void
  /** listen on all addresses of this machine, not only on 127.0.0.1 */
  readonly everywhere?: true
}

/** A server that writes any bytes, HTTP or not. */
export async function rawServer({ request, connection, everywhere }: Behaviour): Promise<RawServer> {
  const sockets = new Set<Socket>()
  const heads: string[] = []
  let connections = 0
  let received = 0
  const server = createServer((socket) => {
    connections++
    sockets.add(socket)
    socket.on('error', () => {}).once('close', () => sockets.delete(socket))
    connection?.(socket)
    let head = ''
    socket.setEncoding('latin1').on('data', (text) => {
      received += text.length
      head += text
      if (!head.endsWith('\r\n\r\n')) return
      heads.push(head)
      request?.(socket, head, heads.length - 1)
      head = ''
    })
  })
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(0, everywhere ? undefined : '127.0.0.1', resolve),
  )
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  const close = () => {
    closed()
    for (const socket of sockets) socket.destroy()
    return new Promise<void>((resolve) => server.close(() => resolve()))
  }
  const closed = closeAfterRun(close)
  return {
    port: address.port,
    connections: () => connections,
    open: () => sockets.size,
    received: () => received,
    heads,
    close,
  }
}

/** A complete answer. */
export function answer(status: string, headers: readonly string[] = [], body: Buffer | string = ''): Buffer {
  const bytes = Buffer.from(body)
  const lines = [`HTTP/1.1 ${status}`, ...headers, `Content-Length: ${bytes.length}`, '', '']
  return Buffer.concat([Buffer.from(lines.join('\r\n')), bytes])
}
