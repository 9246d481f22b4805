import { EventEmitter } from 'node:events'
import type { Channel, ChannelModel, ConfirmChannel, ConsumeMessage } from 'amqplib'
import { Link } from './link.ts'
import type {
  Delivery,
  Fate,
  Outgoing,
  Port,
  PortEvents,
  QueueDeclaration,
  Source,
  Subscription,
} from './port.ts'
import { EXCHANGES } from './topology.ts'

interface Sent {
  readonly bytes: number
  isReturned: boolean
  readonly settle: (fate: Fate) => void
}

/** One consumer; it begins anew at each connection. */
interface Consumer {
  readonly source: Source
  queue: QueueDeclaration
  /** where it has begun, or is beginning: it must not begin there twice */
  connection: ChannelModel | undefined
  channel: Channel | undefined
  tag: string | undefined
  begun: Promise<void> | undefined
  again: NodeJS.Timeout | undefined
  /** deliveries that are not acknowledged yet */
  held: number
  isCancelled: boolean
}

const NACKED = 'message nacked'
const PRECONDITION_FAILED = 406
const NOT_FOUND = 404
const CLOSED_BY_RABBITMQ = new Error('Channel closed')
/** After a channel was closed by RabbitMQ, or a queue was deleted under a consumer. */
const CONSUME_AGAIN_MS = 500

/**
 * The port on RabbitMQ. There are two connections, because RabbitMQ stops reading a connection that publishes while an
 * alarm is on; acknowledgements on the same connection would stop too.
 */
export class AmqpPort extends EventEmitter<PortEvents> implements Port {
  readonly #publishing: Link
  readonly #consuming: Link
  readonly #consumers = new Set<Consumer>()
  // Published and not yet confirmed, by message id.
  readonly #sent = new Map<string, Sent>()
  #out: ConfirmChannel | undefined
  #in: ChannelModel | undefined
  #isFalling = false
  // The max_message_size of RabbitMQ, once it has refused a message.
  #maxBytes = Number.POSITIVE_INFINITY
  // For declarations and looks, one at a time: RabbitMQ closes the channel when one of them fails.
  #side: Channel | undefined
  #sideFree: Promise<unknown> = Promise.resolve()
  #next = 0
  #ups = 0
  isUp = false
  isWritable = true
  blocked: string | undefined

  constructor(urls: readonly string[], name: string) {
    super()
    this.#publishing = new Link(urls, `${name} publishes`)
    this.#consuming = new Link(urls, `${name} consumes`)
    this.#publishing.on('up', (connection) => void this.#beginPublishing(connection))
    this.#consuming.on('up', (connection) => void this.#beginConsuming(connection))
    for (const link of [this.#publishing, this.#consuming]) {
      link.on('down', (error) => this.#down(link, error))
      link.on('unreachable', (error) => this.emit('unreachable', error))
    }
  }

  get reconnects(): number {
    return Math.max(0, this.#ups - 1)
  }

  open(): void {
    this.#publishing.open()
    this.#consuming.open()
  }

  publish({ exchange, to, body, mandatory = true, ...message }: Outgoing): Promise<Fate> {
    const channel = this.#out
    if (channel === undefined) return Promise.resolve('lost')
    if (body.byteLength > this.#maxBytes) return Promise.resolve('too_large')
    return new Promise((resolve) => {
      const id = String(this.#next++)
      const sent: Sent = {
        bytes: body.byteLength,
        isReturned: false,
        settle: (fate) => {
          if (this.#sent.delete(id)) resolve(fate)
        },
      }
      this.#sent.set(id, sent)
      const properties = {
        messageId: id,
        type: message.type,
        mandatory,
        persistent: false,
        contentType: 'application/msgpack',
        ...(message.headers && { headers: message.headers }),
        ...(message.key !== undefined && { correlationId: message.key }),
        ...(message.replyTo !== undefined && { replyTo: message.replyTo }),
        ...(message.expiresIn !== undefined && { expiration: String(Math.ceil(message.expiresIn)) }),
      }
      const content = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
      try {
        this.isWritable = channel.publish(exchange, to, content, properties, (error) => {
          if (error === null) sent.settle(sent.isReturned ? 'unroutable' : 'accepted')
          else sent.settle(error.message === NACKED ? 'full' : 'lost')
        })
      } catch {
        // The channel was closed in this very moment.
        sent.settle('lost')
      }
    })
  }

  consume(source: Source): Subscription {
    const consumer: Consumer = {
      source,
      queue: source.queue,
      connection: undefined,
      channel: undefined,
      tag: undefined,
      begun: undefined,
      again: undefined,
      held: 0,
      isCancelled: false,
    }
    this.#consumers.add(consumer)
    if (this.#in && this.#out) this.#begin(consumer, this.#in).catch(() => this.#beginLater(consumer))
    return { cancel: () => this.#cancel(consumer) }
  }

  /** Whatever fails here fails with the connection; then nothing comes either. */
  async #cancel(consumer: Consumer): Promise<void> {
    consumer.isCancelled = true
    this.#consumers.delete(consumer)
    await consumer.begun?.catch(() => undefined)
    const { channel, tag } = consumer
    if (tag !== undefined) await channel?.cancel(tag).catch(() => undefined)
    consumer.tag = undefined
    this.#closeIfDone(consumer)
  }

  /** A channel is needed until the last delivery is acknowledged. */
  #closeIfDone(consumer: Consumer): void {
    const { channel, tag, held, isCancelled } = consumer
    // Until RabbitMQ has ended the consumer, more may come.
    if (!isCancelled || tag !== undefined || held > 0 || channel === undefined) return
    consumer.channel = undefined
    channel.close().catch(() => undefined)
  }

  async declare(queue: QueueDeclaration): Promise<void> {
    await this.#aside((channel) => this.#declare(channel, queue)).catch((error: unknown) => {
      if (codeOf(error) !== PRECONDITION_FAILED) throw error
      this.emit('differs', queue.name)
    })
  }

  async look(queue: string): Promise<{ messages: number; consumers: number } | undefined> {
    try {
      const found = await this.#aside((channel) => channel.checkQueue(queue))
      return { messages: found.messageCount, consumers: found.consumerCount }
    } catch (error) {
      if (codeOf(error) === NOT_FOUND) return undefined
      throw error
    }
  }

  async close(): Promise<void> {
    this.isUp = false
    this.#in = undefined
    this.#out = undefined
    this.#consumers.clear()
    await Promise.all([this.#publishing.close(), this.#consuming.close()])
    for (const sent of [...this.#sent.values()]) sent.settle('lost')
  }

  async #beginPublishing(connection: ChannelModel): Promise<void> {
    connection.on('blocked', (reason) => {
      this.blocked = reason
      this.emit('blocked', reason)
    })
    connection.on('unblocked', () => {
      this.blocked = undefined
      this.emit('unblocked')
    })
    try {
      const channel = await connection.createConfirmChannel()
      channel.on('error', (error) => this.#refuseTooLarge(error))
      channel.on('close', () => {
        // RabbitMQ closes a channel after a message that it cannot accept, and leaves the connection open. If the
        // connection is lost too, its own event comes first.
        setImmediate(() => {
          if (this.#out === channel) void this.#publishing.restart(connection, CLOSED_BY_RABBITMQ)
        })
      })
      channel.on('return', ({ properties }) => {
        const sent = this.#sent.get(String(properties.messageId))
        if (sent) sent.isReturned = true
      })
      channel.on('drain', () => {
        this.isWritable = true
        this.emit('drain')
      })
      for (const exchange of EXCHANGES) await channel.assertExchange(exchange, 'fanout', { durable: true })
      if (this.#publishing.connection !== connection) return
      this.#out = channel
      this.isWritable = true
    } catch (error) {
      return void this.#publishing.restart(connection, error)
    }
    await this.#upIfBoth()
  }

  async #beginConsuming(connection: ChannelModel): Promise<void> {
    try {
      const channel = await connection.createChannel()
      channel.on('error', () => undefined)
      // A queue can be bound only to an exchange that exists.
      for (const exchange of EXCHANGES) await channel.assertExchange(exchange, 'fanout', { durable: true })
      await channel.close()
      if (this.#consuming.connection !== connection) return
      this.#in = connection
    } catch (error) {
      return void this.#consuming.restart(connection, error)
    }
    await this.#upIfBoth()
  }

  #begin(consumer: Consumer, connection: ChannelModel): Promise<void> {
    if (consumer.isCancelled) return Promise.resolve()
    if (consumer.connection === connection && consumer.begun) return consumer.begun
    consumer.connection = connection
    consumer.begun = this.#consumeOn(connection, consumer).catch((error: unknown) => {
      if (codeOf(error) !== NOT_FOUND) throw error
      const replacement = consumer.source.replacement?.()
      if (!replacement) return this.#beginLater(consumer)
      consumer.queue = replacement
      return this.#consumeOn(connection, consumer)
    })
    return consumer.begun
  }

  async #consumeOn(connection: ChannelModel, consumer: Consumer): Promise<void> {
    const { source, queue: declaration } = consumer
    const { exclusive = false, name } = declaration
    if (!exclusive && name !== '') await this.declare(declaration)
    const channel = await connection.createChannel()
    channel.on('error', () => undefined)
    consumer.channel = channel
    consumer.tag = undefined
    consumer.held = 0
    channel.on('close', () => {
      if (consumer.channel === channel) this.#beginLater(consumer)
    })
    const queue = exclusive ? await this.#declare(channel, declaration) : name
    const { prefetch, priority } = source
    if (prefetch !== undefined) await channel.prefetch(prefetch)
    const deliver = (message: ConsumeMessage | null) => {
      // RabbitMQ sends null when the queue is deleted.
      if (message === null) return void channel.close().catch(() => undefined)
      if (prefetch !== undefined) consumer.held++
      const settled = () => {
        if (consumer.channel !== channel) return
        consumer.held--
        this.#closeIfDone(consumer)
      }
      // RabbitMQ handles what comes on a channel in its order, and answers this request.
      const handled = () => channel.prefetch(prefetch ?? 0)
      source.deliver(deliveryOf(message, channel, settled, handled))
    }
    const options = { noAck: prefetch === undefined, ...(priority !== undefined && { priority }) }
    const { consumerTag } = await channel.consume(queue, deliver, options)
    consumer.tag = consumerTag
  }

  /** If the whole connection is lost, #beginConsuming starts the consumer instead. */
  #beginLater(consumer: Consumer): void {
    const { connection } = consumer
    consumer.channel = undefined
    clearTimeout(consumer.again)
    consumer.again = setTimeout(() => {
      if (!connection || this.#in !== connection || consumer.connection !== connection) return
      if (consumer.isCancelled) return
      consumer.begun = undefined
      this.#begin(consumer, connection).then(
        () => consumer.channel && consumer.source.resumed?.(),
        () => this.#beginLater(consumer),
      )
    }, CONSUME_AGAIN_MS).unref()
  }

  async #declare(channel: Channel, queue: QueueDeclaration): Promise<string> {
    const { name, exclusive = false, boundTo } = queue
    const declared = await channel.assertQueue(name, {
      exclusive,
      durable: !exclusive,
      autoDelete: exclusive,
      ...(queue.arguments && { arguments: queue.arguments }),
    })
    if (boundTo !== undefined) await channel.bindQueue(declared.queue, boundTo, '')
    return declared.queue
  }

  #aside<Result>(work: (channel: Channel) => Promise<Result>): Promise<Result> {
    const result = this.#sideFree.then(async () => {
      const connection = this.#in
      if (connection === undefined) throw new Error('There is no connection to RabbitMQ.')
      const channel = this.#side ?? (await connection.createChannel())
      if (this.#side === undefined) channel.on('error', () => undefined)
      this.#side = channel
      try {
        return await work(channel)
      } catch (error) {
        if (this.#side === channel) this.#side = undefined
        throw error
      }
    })
    this.#sideFree = result.catch(() => undefined)
    return result
  }

  /** Consumers begin when there is a way to answer what they get. */
  async #upIfBoth(): Promise<void> {
    const [out, connection] = [this.#out, this.#in]
    if (out === undefined || connection === undefined) return
    try {
      for (const consumer of [...this.#consumers]) await this.#begin(consumer, connection)
    } catch (error) {
      return void this.#consuming.restart(connection, error)
    }
    if (this.#out !== out || this.#in !== connection) return
    this.isUp = true
    this.#ups++
    this.emit('up')
  }

  /**
   * Without one of the two connections, the other one is useless. Only if both end does RabbitMQ deliver again what was
   * not acknowledged, as `down` promises.
   */
  #down(link: Link, error: Error): void {
    if (this.#isFalling) return
    this.#isFalling = true
    const wasUp = this.isUp
    this.isUp = false
    this.#out = undefined
    this.#in = undefined
    this.#side = undefined
    this.blocked = undefined
    for (const consumer of this.#consumers) consumer.channel = undefined
    for (const sent of [...this.#sent.values()]) sent.settle('lost')
    const other = link === this.#publishing ? this.#consuming : this.#publishing
    void other.restart(other.connection, error)
    this.#isFalling = false
    this.emit(wasUp ? 'down' : 'unreachable', error)
  }

  /** RabbitMQ names its limit, but not the message: every unconfirmed message above the limit is refused. */
  #refuseTooLarge(error: Error): void {
    const [, limit] = /message size \d+ is larger than configured max size (\d+)/.exec(error.message) ?? []
    if (limit === undefined) return
    this.#maxBytes = Number(limit)
    for (const sent of [...this.#sent.values()]) if (sent.bytes > this.#maxBytes) sent.settle('too_large')
  }
}

function deliveryOf(
  { content, fields, properties }: ConsumeMessage,
  channel: Channel,
  settled: () => void,
  handled: () => Promise<unknown>,
): Delivery {
  const message = { content, fields, properties }
  let isSettled = false
  // RabbitMQ closes a channel on which a message is acknowledged twice.
  const settle = async (settling: () => unknown): Promise<void> => {
    if (isSettled) return
    isSettled = true
    try {
      await settling()
      settled()
    } catch {
      // The channel is closed: RabbitMQ delivers the message again.
    }
  }
  return {
    type: textOf(properties.type),
    body: content,
    key: textOf(properties.correlationId),
    replyTo: textOf(properties.replyTo),
    expiresIn: properties.expiration === undefined ? undefined : Number(properties.expiration),
    headers: properties.headers ?? {},
    redelivered: fields.redelivered,
    ack: () => void settle(() => channel.ack(message)),
    acked: () =>
      settle(() => {
        channel.ack(message)
        return handled()
      }),
    requeue: () => void settle(() => channel.nack(message, false, true)),
  }
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | undefined)?.code
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
