import type { EventEmitter } from 'node:events'

/** What became of a published message. */
export type Fate =
  /** RabbitMQ has the message */
  | 'accepted'
  /** the queue is full */
  | 'full'
  /** no queue takes the message */
  | 'unroutable'
  /** larger than RabbitMQ's max_message_size */
  | 'too_large'
  /** the connection was lost; RabbitMQ may or may not have the message */
  | 'lost'

export interface Outgoing {
  readonly exchange: string
  /** the routing key; for the exchange '', the name of a queue */
  readonly to: string
  readonly type: string
  readonly body: Uint8Array
  readonly key?: string
  readonly replyTo?: string
  /** milliseconds that the message may wait in a queue */
  readonly expiresIn?: number
  readonly headers?: Readonly<Record<string, string | number>>
  /** with false, a message that no queue takes is dropped without a word */
  readonly mandatory?: boolean
}

export interface Delivery {
  readonly type: string
  readonly body: Buffer
  readonly key: string
  readonly replyTo: string
  readonly expiresIn: number | undefined
  readonly headers: Readonly<Record<string, unknown>>
  /** RabbitMQ has given this message to a consumer before, and has got no acknowledgement */
  readonly redelivered: boolean
  /** Acknowledges the message. Does nothing if the connection was lost meanwhile. */
  ack(): void
  /** Acknowledges the message. Resolves when RabbitMQ has handled that, or when the connection is lost. */
  acked(): Promise<void>
  /** Gives the message back, for another consumer. */
  requeue(): void
}

export interface QueueDeclaration {
  /** '' for a name that RabbitMQ chooses at each connection */
  readonly name: string
  /** the queue is there for this connection alone, and ends with it */
  readonly exclusive?: boolean
  readonly arguments?: Readonly<Record<string, string | number>>
  /** the exchange whose messages the queue gets */
  readonly boundTo?: string
}

export interface Source {
  readonly queue: QueueDeclaration
  /** the most messages that may be delivered and not acknowledged; without a number, no message is acknowledged */
  readonly prefetch?: number
  /** consumers with a higher priority get messages first, until their prefetch is used up */
  readonly priority?: number
  deliver(delivery: Delivery): void
  /** Another queue for the case that the node of a cluster that has this queue is away. Without it, the queue is awaited. */
  replacement?(): QueueDeclaration
  /** The queue was lost while the connection stood, and is there again, or its replacement: messages may be lost. */
  resumed?(): void
}

export interface Subscription {
  /** Resolves when no more messages come. Those that were delivered can still be acknowledged. */
  cancel(): Promise<void>
}

export interface PortEvents {
  /** Connected, and all subscriptions are in force, except those whose queue is on a node that is away: at the start, and whenever the connection comes back. */
  up: []
  /** The connection is lost. Messages that were delivered and not acknowledged will be delivered again. */
  down: [Error]
  /** An attempt to connect has failed. */
  unreachable: [Error]
  /** RabbitMQ accepts no messages, because it is short of memory or disk space. */
  blocked: [string]
  unblocked: []
  /** publish() may be called again, after `isWritable` was false. */
  drain: []
  /** A queue exists with other arguments than declared, and is used as it is. */
  differs: [string]
}

/** What the fleet needs of a message broker. A lost connection comes back by itself. */
export interface Port extends EventEmitter<PortEvents> {
  readonly isUp: boolean
  readonly blocked: string | undefined
  /** False while messages pile up in this process. */
  readonly isWritable: boolean
  /** How many times the connection came back. */
  readonly reconnects: number
  open(): void
  publish(message: Outgoing): Promise<Fate>
  consume(source: Source): Subscription
  declare(queue: QueueDeclaration): Promise<void>
  /** The messages and the consumers of a queue; undefined if there is no such queue. Rejects without a connection. */
  look(queue: string): Promise<{ messages: number; consumers: number } | undefined>
  close(): Promise<void>
}
