import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Config } from '../config/config.ts'
import { boundConnections } from './bound-connections.ts'
import { continueWhenRead } from './continue-when-read.ts'
import { mostConnections } from './descriptors.ts'
import type { Log } from './log.ts'
import { boundOwedBytes, type Handler } from './owed-bytes.ts'
import { seldom } from './seldom.ts'
import { takeTurns } from './take-turns.ts'

/** A request line and headers arrive in one or two packets. A client that takes longer does so on purpose. */
const HEADERS_TIMEOUT_MS = 10_000
/** Longer than the usual 60 s of load balancers: if the server closed first, the next request could get lost. */
const KEEP_ALIVE_MS = 65_000
const MAX_HEADER_BYTES = 16 * 1024
/** How often Node checks the timeouts. With the default of 30 s, a slow client could stay three times too long. */
const CHECK_INTERVAL_MS = 5_000

/** Listens, and logs the address. If the port is taken, the process ends with one sentence. */
export async function listen(handler: Handler, config: Config, log: Log): Promise<Server> {
  // Nothing moves on a connection that waits for an answer, for as long as a download and a call may take.
  const answerWithinMs = 2 * (config.fetchTimeoutMs + config.deadlineMs)
  const onClosed = seldom((count) =>
    log.warn({ count }, 'unread answers exceeded MAX_OWED_BYTES: connections closed'),
  )
  const bounded = boundOwedBytes(handler, { maxOwedBytes: config.maxOwedBytes, answerWithinMs, onClosed })
  const limited = takeTurns(bounded)
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      // Later than BODY_TIMEOUT_MS, whose answer says more. This limit is for bodies that no route reads.
      requestTimeout: HEADERS_TIMEOUT_MS + config.bodyTimeoutMs + CHECK_INTERVAL_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
    },
    limited,
  )
  server.on('checkContinue', continueWhenRead(limited))
  server.timeout = answerWithinMs
  const maxConnections = connectionsWithin(config, log)
  boundConnections(server, {
    maxConnections,
    maxPerAddress: maxPerAddress(config, maxConnections),
    onClosed: seldom((count) =>
      log.warn({ count }, 'too many connections: idle ones were closed, or new ones refused'),
    ),
  })
  try {
    server.listen(config.port, config.host)
    await once(server, 'listening')
  } catch (error) {
    log.fatal({ err: error }, explain(error, config))
    return process.exit(1)
  }
  log.info({ url: urlOf(server.address()), pid: process.pid }, 'listening')
  return server
}

/** MAX_CONNECTIONS, or fewer: without descriptors left, no child could be replaced and nothing be downloaded. */
function connectionsWithin(config: Config, log: Log): number {
  const { maxConnections, maxFetches, models, workers, spareChildren } = config
  const spares = spareChildren === 'auto' ? 1 : spareChildren
  const most = mostConnections(models.length * (workers + spares), maxFetches)
  if (maxConnections <= most) return maxConnections
  log.warn(
    { maxConnections, most },
    'the limit of file descriptors allows fewer connections than MAX_CONNECTIONS',
  )
  return most
}

/** Behind a proxy, the connections of all clients come from the address of the proxy. */
function maxPerAddress({ maxConnectionsPerIp, trustProxy }: Config, maxConnections: number): number {
  if (trustProxy > 0) return Number.POSITIVE_INFINITY
  return maxConnectionsPerIp === 0 ? Math.ceil(maxConnections / 2) : maxConnectionsPerIp
}

function explain(error: unknown, { host, port }: Config): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE')
    return `Port ${port} of ${host} is taken by another process; choose another one with --port.`
  if (code === 'EACCES')
    return `Port ${port} of ${host} needs permissions that this process does not have; choose another one with --port.`
  return `Cannot listen on ${host}, port ${port}.`
}

function urlOf(address: AddressInfo | string | null): string {
  if (address === null || typeof address === 'string') return String(address)
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return `http://${host}:${address.port}`
}
