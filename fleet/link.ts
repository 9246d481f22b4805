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
  #connectedAt = 0
  #url = ''
  #attempt = 0
  // Attempts in a row that led to no connection, or to one that ended at once.
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

  /** Gives this connection up, if it is still the current one; the next one follows. */
  async restart(connection: ChannelModel | undefined, error: unknown): Promise<void> {
    if (connection === undefined || this.#connection !== connection) return
    this.#lost(connection, connectFailure(error, this.#url))
    await connection.close().catch(() => undefined)
  }

  get connection(): ChannelModel | undefined {
    return this.#connection
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
      this.#connectedAt = performance.now()
      this.#url = url
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
    // A RabbitMQ that ends each connection at once must not be asked ten times a second.
    if (performance.now() - this.#connectedAt > LONGEST_PAUSE_MS) this.#failures = 0
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
