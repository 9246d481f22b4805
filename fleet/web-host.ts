import { EventEmitter } from 'node:events'
import { nanoid } from 'nanoid'
import { AmqpPort } from './amqp-port.ts'
import type { FleetEvents } from './events.ts'
import { BEAT_MS, type HostId, HostList } from './host-list.ts'
import { type FleetOptions, type FleetSettings, readFleetOptions } from './options.ts'
import type { Delivery, Port } from './port.ts'
import { CANCEL, callQueueName, deadQueue, HOSTS, noticeQueue, replyQueue } from './topology.ts'
import { encodeValue, readAnnouncement } from './wire.ts'

/** What a WebHost tells the FleetBroker of one pipeline. */
export interface Member {
  readonly pipeline: string
  /** The news of hosts, or the connection, have changed. */
  update(): void
  /** The connection or the queue of replies is there, for the first time or again. */
  connected(): void
  /** RabbitMQ accepts no messages. */
  blocked(reason: string): void
  /** Messages do not pile up any more. */
  send(): void
  /** Called twice a second. */
  look(): void
  /** A reply. Returns false if the key belongs to no pending call of this pipeline. */
  answer(delivery: Delivery): boolean
  hostChanged(host: HostId, change: 'came' | 'leaving' | 'lost'): void
}

/** The least time between two requests for news. */
const HELLO_EVERY_MS = 500

/** The part of the fleet in a process that makes calls: the connections, the queue of replies, the list of hosts. */
export class WebHost extends EventEmitter<FleetEvents> {
  readonly settings: FleetSettings
  readonly boot = nanoid(8)
  readonly port: Port
  replyTo: string
  readonly hosts: HostList
  readonly #brokers = new Map<string, Member>()
  // Keys whose cancellation is sent at the end of this tick.
  #cancelled: string[] = []
  #saidHelloAt = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined
  // Since when the connection is lost; undefined while it is there.
  downSince: number | undefined = performance.now()
  lastError: Error | undefined

  constructor(options: FleetOptions) {
    super()
    this.settings = readFleetOptions(options)
    const { urls, name } = this.settings
    this.port = new AmqpPort(urls, `${name} web`)
    const replies = replyQueue(name, this.boot)
    this.replyTo = replies.name
    let replacements = 0
    this.hosts = new HostList({
      changed: (pipelines) => {
        for (const pipeline of pipelines) this.#brokers.get(pipeline)?.update()
      },
      came: (host, pipelines) => this.#tell(host, pipelines, 'came'),
      leaving: (host, pipelines) => this.#tell(host, pipelines, 'leaving'),
      lost: (host, pipelines) => this.#tell(host, pipelines, 'lost'),
      quiet: () => this.#ask(),
      unknownInfo: () => this.#hello(),
    })
    this.port.consume({
      queue: replies,
      deliver: (delivery) => this.#reply(delivery),
      replacement: () => {
        const replacement = replyQueue(name, `${this.boot}.${++replacements}`)
        this.replyTo = replacement.name
        return replacement
      },
      // Replies may be lost. Hosts keep their answers, and give them to the calls that come again.
      resumed: () => {
        for (const broker of this.#brokers.values()) broker.connected()
      },
    })
    this.port.consume({ queue: noticeQueue(HOSTS), deliver: (delivery) => this.#heard(delivery) })
    this.#forwardEvents()
  }

  /** Called by each FleetBroker. */
  add(broker: Member): void {
    this.#brokers.set(broker.pipeline, broker)
  }

  /** Begins to connect; called by the start() of each FleetBroker. */
  open(): void {
    if (this.#timer || this.#closing) return
    this.downSince = performance.now()
    this.port.open()
    this.#timer = setInterval(() => {
      if (this.port.isUp && this.port.blocked === undefined) this.hosts.look()
      for (const broker of this.#brokers.values()) broker.look()
    }, BEAT_MS / 4)
    this.#timer.unref()
  }

  /** Called by each FleetBroker that is closed: after the last one, the connection is closed. */
  async remove(broker: Member): Promise<void> {
    if (this.#brokers.get(broker.pipeline) === broker) this.#brokers.delete(broker.pipeline)
    if (this.#brokers.size > 0) return
    clearInterval(this.#timer)
    this.#closing ??= this.port.close()
    await this.#closing
  }

  /** Tells all hosts that nobody waits for the call any more. */
  cancel(key: string): void {
    if (this.#cancelled.push(key) > 1) return
    process.nextTick(() => {
      const keys = this.#cancelled
      this.#cancelled = []
      void this.port.publish({
        exchange: CANCEL,
        to: '',
        type: 'cancel',
        body: encodeValue({ keys }),
        mandatory: false,
      })
    })
  }

  #forwardEvents(): void {
    const { port } = this
    port.on('up', () => {
      this.downSince = undefined
      this.lastError = undefined
      this.hosts.excuse()
      void port.declare(deadQueue()).catch(() => undefined)
      this.#saidHelloAt = Number.NEGATIVE_INFINITY
      this.#hello()
      this.emit('up')
      for (const broker of this.#brokers.values()) broker.connected()
    })
    port.on('down', (error) => {
      this.downSince = performance.now()
      this.lastError = error
      this.emit('down', error)
      this.#updateAll()
    })
    port.on('unreachable', (error) => {
      this.lastError = error
      this.emit('unreachable', error)
      this.#updateAll()
    })
    port.on('blocked', (reason) => {
      this.emit('blocked', reason)
      for (const broker of this.#brokers.values()) broker.blocked(reason)
    })
    port.on('unblocked', () => {
      this.hosts.excuse()
      this.emit('unblocked')
    })
    port.on('drain', () => {
      for (const broker of this.#brokers.values()) broker.send()
    })
    port.on('differs', (queue) => this.emit('differs', queue))
  }

  #tell(host: HostId, pipelines: Iterable<string>, change: 'came' | 'leaving' | 'lost'): void {
    for (const pipeline of pipelines) this.#brokers.get(pipeline)?.hostChanged(host, change)
  }

  #updateAll(): void {
    for (const broker of this.#brokers.values()) broker.update()
  }

  /** Asks all model hosts for their news, with everything that they have to tell. */
  #hello(): void {
    const now = performance.now()
    if (now - this.#saidHelloAt < HELLO_EVERY_MS) return
    this.#saidHelloAt = now
    const body = encodeValue({})
    void this.port.publish({ exchange: CANCEL, to: '', type: 'hello', body, mandatory: false })
  }

  /**
   * Hosts are silent when they are gone, but also when RabbitMQ is short of memory. It says so only to a connection that
   * publishes: this message without content makes RabbitMQ say so.
   */
  #ask(): void {
    const body = encodeValue({ keys: [] })
    void this.port.publish({ exchange: CANCEL, to: '', type: 'cancel', body, mandatory: false })
  }

  #heard({ body }: Delivery): void {
    try {
      this.hosts.heard(readAnnouncement(body))
    } catch {
      // Written by another version, or by another program: a host that cannot be understood is not listed.
    }
  }

  #reply(delivery: Delivery): void {
    for (const broker of this.#brokers.values()) if (broker.answer(delivery)) return
  }

  /** The number of calls that wait in the queue of the pipeline. */
  async waiting(pipeline: string): Promise<number | null> {
    if (!this.port.isUp) return null
    return (await this.port.look(callQueueName(pipeline)).catch(() => undefined))?.messages ?? null
  }
}
