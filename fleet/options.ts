import { hostname } from 'node:os'
import { inspect } from 'node:util'
import { BrokerError } from '../broker/errors.ts'
import { type Limits, readLimits } from '../broker/options.ts'
import type { QueueLimits, QueueType } from './topology.ts'

export interface FleetOptions {
  /** The address of RabbitMQ: amqp: or amqps:, with user, password and virtual host. Several are tried in turn. */
  url: string | readonly string[]
  /** How this host is called in figures and logs. */
  name?: string
  /** The kind of the queues of calls: `quorum` for a cluster of RabbitMQ. The same on all hosts. */
  queueType?: QueueType
  /** The most calls that may wait; the same on all hosts. */
  maxQueue?: number
  maxQueueBytes?: number
  /** Milliseconds that a call may take in all; the same on all hosts. */
  deadline?: number
}

export interface FleetSettings {
  readonly urls: readonly string[]
  readonly name: string
  readonly queue: QueueLimits
  readonly limits: Limits
}

const MAX_NAME = 100
const NAME = /^[\w.:-]+$/
const QUEUE_TYPES: readonly QueueType[] = ['classic', 'quorum']

export function readFleetOptions(options: FleetOptions): FleetSettings {
  const { url, name = `${hostname()}-${process.pid}`, queueType = 'classic', ...rest } = options
  const urls = (typeof url === 'string' ? [url] : [...url]).map(mustBeAddress)
  if (urls.length === 0) throw new BrokerError('ERR_OPTION', 'url must be the address of RabbitMQ.')
  if (!NAME.test(name) || name.length > MAX_NAME) {
    const message = `name must be at most ${MAX_NAME} letters, digits and .:_-, but is "${name}".`
    throw new BrokerError('ERR_OPTION', message)
  }
  if (!QUEUE_TYPES.includes(queueType)) {
    const message = `queueType must be ${QUEUE_TYPES.join(' or ')}, but is ${inspect(queueType)}.`
    throw new BrokerError('ERR_OPTION', message)
  }
  const { maxQueue, maxQueueBytes, deadline } = rest
  const limits = readLimits({
    pipeline: '',
    ...(maxQueue !== undefined && { maxQueue }),
    ...(maxQueueBytes !== undefined && { maxQueueBytes }),
    ...(deadline !== undefined && { deadline }),
  })
  const queue: QueueLimits = {
    type: queueType,
    maxQueue: limits.maxQueue,
    maxQueueBytes: limits.maxQueueBytes,
    deadline: limits.deadline,
  }
  return { urls, name, queue, limits }
}

/** The address is not shown, because it may hold a password. */
function mustBeAddress(url: string): string {
  if (typeof url === 'string' && isAddress(url)) return url
  const form = 'amqp://user:password@host/vhost or amqps://…'
  const message = `url must have the form ${form}, with %25 for % in a password, but has another one.`
  throw new BrokerError('ERR_OPTION', message)
}

function isAddress(url: string): boolean {
  try {
    decodeURIComponent(url)
    return /^amqps?:$/.test(new URL(url).protocol) && new URL(url).hostname !== ''
  } catch {
    return false
  }
}
