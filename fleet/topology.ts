import type { QueueDeclaration } from './port.ts'

/** All exchanges are of the type fanout and durable. */
export const CANCEL = 'tandem.cancel'
export const HOSTS = 'tandem.hosts'
export const DEAD = 'tandem.dead'
export const EXCHANGES = [CANCEL, HOSTS, DEAD] as const

export type QueueType = 'classic' | 'quorum'

export interface QueueLimits {
  readonly type: QueueType
  readonly maxQueue: number
  readonly maxQueueBytes: number
  /** milliseconds */
  readonly deadline: number
}

/** A reply queue outlives its connection for this long, so that no reply is lost while the connection comes back. */
const REPLIES_EXPIRE_MS = 60_000
/** Copies of calls that expired in the queue or that RabbitMQ has delivered too often, for the operator to look at. */
const DEAD_CALLS = 100
const DEAD_BYTES = 64 * 2 ** 20
const DEAD_MS = 86_400_000
/** For quorum queues only: classic queues do not count deliveries, and the model host looks at `redelivered`. */
const DELIVERIES = 2
const MAX_NOTICES = 10_000

/** The arguments must be understood by RabbitMQ 3.10 and 4.x alike. */
export function callQueue(model: string, limits: QueueLimits): QueueDeclaration {
  const type =
    limits.type === 'quorum'
      ? { 'x-queue-type': 'quorum', 'x-delivery-limit': DELIVERIES }
      : { 'x-queue-type': 'classic', 'x-queue-version': 2 }
  return {
    name: callQueueName(model),
    arguments: {
      ...type,
      'x-max-length': limits.maxQueue,
      'x-max-length-bytes': limits.maxQueueBytes,
      'x-overflow': 'reject-publish',
      'x-message-ttl': limits.deadline,
      'x-dead-letter-exchange': DEAD,
    },
  }
}

export function callQueueName(model: string): string {
  return `tandem.calls.${model}`
}

export function replyQueue(host: string, boot: string): QueueDeclaration {
  return { name: `tandem.replies.${host}.${boot}`, arguments: { 'x-expires': REPLIES_EXPIRE_MS } }
}

export function deadQueue(): QueueDeclaration {
  return {
    name: DEAD,
    boundTo: DEAD,
    arguments: {
      'x-max-length': DEAD_CALLS,
      'x-max-length-bytes': DEAD_BYTES,
      'x-overflow': 'drop-head',
      'x-message-ttl': DEAD_MS,
    },
  }
}

/** What this process is told of cancelled calls, or of hosts. */
export function noticeQueue(exchange: typeof CANCEL | typeof HOSTS): QueueDeclaration {
  return {
    name: '',
    exclusive: true,
    boundTo: exchange,
    arguments: { 'x-max-length': MAX_NOTICES, 'x-overflow': 'drop-head' },
  }
}
