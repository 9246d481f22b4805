import { EventEmitter } from 'node:events'
import type { ChannelModel } from 'amqplib'
import { connectFailure } from './connect-failure.ts'

interface LinkEvents {
  up: [ChannelModel]
  down: [Error]
  unreachable: [Error]
}

const FIRST_PAUSE_MS = 100
/** Short, so that calls wait little longer than RabbitMQ is away. */
const LONGEST_PAUSE_MS = 1000
/** A part of each pause is random: otherwise, all hosts would come back in the same moment. */
const JITTER = 0.3
const CONNECT_WITHIN_MS = 5000
/** Two silent intervals end a connection. A pulled cable is noticed after 10 to 15 seconds. */
const HEARTBEAT_SECONDS = 5

/** One connection to RabbitMQ, which comes back when it is lost. Several addresses are tried in turn. */
export class Link extends EventEmitter<LinkEvents> {
  readonly #urls: readonly string[]
  readonly #name: string
  #connection: ChannelModel | undefined
  #attempt = 0
  // Failures since the last success.
  #failures = 0
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(urls: readonly string[], name: string) {
    super()
    this.#urls = urls
    this.#name = name
  }

  open(): void {
    void this.#connect()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    const connection = this.#connection
    this.#connection = undefined
    // Fails if the connection is lost at the same time.
    await connection?.close().catch(() => undefined)
  }

  /** Gives the connection up; the next one follows at once. */
  async restart(error: Error): Promise<void> {
    const connection = this.#connection
    if (connection === undefined) return
    this.#lost(connection, error)
    await connection.close().catch(() => undefined)
  }

  async #connect(): Promise<void> {
    const url = this.#urls[this.#attempt++ % this.#urls.length] ?? ''
    try {
      // Imported here, so that a service without a fleet does not load the package.
      const { connect } = await import('amqplib')
      const connection = await connect(withHeartbeat(url), {
        timeout: CONNECT_WITHIN_MS,
        // Without this, a small message waits up to 40 ms for the acknowledgement of the one before.
        noDelay: true,
        clientProperties: { connection_name: this.#name },
      })
      connection.on('error', () => undefined)
      if (this.#isClosed) return void connection.close().catch(() => undefined)
      this.#connection = connection
      this.#failures = 0
      connection.on('close', (error) => this.#lost(connection, connectFailure(error, url)))
      this.emit('up', connection)
    } catch (error) {
      if (this.#isClosed) return
      this.emit('unreachable', connectFailure(error, url))
      this.#again()
    }
  }

  #lost(connection: ChannelModel, error: Error): void {
    if (this.#isClosed || this.#connection !== connection) return
    this.#connection = undefined
    this.emit('down', error)
    this.#again()
  }

  #again(): void {
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures++)
    this.#timer = setTimeout(() => void this.#connect(), pause * (1 - JITTER * Math.random()))
  }
}

function withHeartbeat(url: string): string {
  const address = new URL(url)
  if (!address.searchParams.has('heartbeat')) address.searchParams.set('heartbeat', String(HEARTBEAT_SECONDS))
  return address.href
}
