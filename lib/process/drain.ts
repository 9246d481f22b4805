import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Service } from '../service.ts'
import { killAfter } from './kill-after.ts'
import type { Log } from './log.ts'

export interface DrainParts {
  readonly server: Server
  readonly service: Service
  readonly log: Log
}

/** Browsers open connections in advance. A connection without a byte in this time after the signal is closed. */
const SILENT_SOCKET_GRACE_MS = 500
/** A broker gives a child two seconds to end, and then kills the child. */
const CHILDREN_END_MS = 3000
/** How long the last lines of the log may take to be written. */
const FLUSH_MS = 500

/**
 * One Ctrl-C arrives as two signals: the terminal signals the whole group of processes, and npm passes on a copy, some
 * 30 ms later. systemd does the same with SIGTERM. Signals within this time of the first count as copies.
 */
const COPIES_WITHIN_MS = 500

/** Signals that come before drainOnSignal wait for it. The returned function hands them over. */
export function holdSignals(): () => void {
  const held: NodeJS.Signals[] = []
  const hold = (signal: NodeJS.Signals) => void held.push(signal)
  process.on('SIGTERM', hold).on('SIGINT', hold)
  return () => {
    process.off('SIGTERM', hold).off('SIGINT', hold)
    for (const signal of held) process.emit(signal)
  }
}

/** The first SIGTERM or SIGINT finishes the accepted requests, and then ends the process. A later signal ends the process at once. */
export function drainOnSignal(parts: DrainParts): void {
  const sockets = trackSockets(parts.server)
  let firstAt: number | undefined
  const onSignal = (signal: string) => {
    if (firstAt !== undefined) {
      if (performance.now() - firstAt > COPIES_WITHIN_MS) endAtOnce(parts, signal)
      return
    }
    firstAt = performance.now()
    const { config, state } = parts.service
    state.draining = true
    killAfter(config.drainTimeoutMs + CHILDREN_END_MS + FLUSH_MS)
    parts.log.info({ signal }, 'draining')
    void drain(parts, sockets).then(
      () => exit(0),
      (error: unknown) => {
        parts.log.fatal({ err: error }, 'drain failed')
        endAtOnce(parts, signal)
      },
    )
  }
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal)
}

async function drain({ server, service, log }: DrainParts, sockets: ReadonlySet<Socket>): Promise<void> {
  const { brokers, config } = service
  const end = performance.now() + config.drainTimeoutMs
  const left = service.modelHost?.close({ timeout: config.drainTimeoutMs })
  // close() also closes idle connections. The others are closed after their answer, see close-when-draining.ts.
  const answered = new Promise<boolean>((resolve) => server.close(() => resolve(true)))
  const silence = setTimeout(() => destroySilent(sockets), SILENT_SOCKET_GRACE_MS)
  const inTime = await Promise.race([answered, delay(config.drainTimeoutMs, false)])
  clearTimeout(silence)
  if (!inTime) log.warn({ connections: sockets.size }, 'drain timed out: open connections are closed')
  server.closeAllConnections()
  // The children are needed until the last call from the fleet is answered.
  await left
  const timeout = Math.max(0, Math.ceil(end - performance.now()))
  const children = [...brokers.values()].map((broker) => broker.close({ timeout }))
  await Promise.all([service.close(), ...children])
  log.info('drained')
}

function endAtOnce({ service, log }: DrainParts, signal: string): never {
  log.warn({ signal }, 'ending at once')
  service.modelHost?.kill()
  for (const broker of service.brokers.values()) broker.kill()
  return exit(1)
}

function exit(code: number): never {
  killAfter(FLUSH_MS)
  return process.exit(code)
}

function trackSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return sockets
}

function destroySilent(sockets: ReadonlySet<Socket>): void {
  for (const socket of sockets) {
    if (socket.bytesRead === 0) socket.destroy()
  }
}
