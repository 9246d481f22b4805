import { isPermanent } from './error-wire.ts'
import type { CallTiming, Outcome } from './pending.ts'
import type { ProgressReport } from './pipeline.ts'

export type BrokerState = 'idle' | 'starting' | 'ready' | 'restarting' | 'failed' | 'closing' | 'closed'

export interface BrokerStats {
  state: BrokerState
  queued: number
  queuedBytes: number
  inFlight: number
  /** The children that wait to take the place of a dead one. */
  spares: { pid: number | undefined; state: 'starting' | 'ready' }[]
  /** The number of children that died without being asked to; a pipeline that cannot be made is no such death. */
  restarts: number
  /** The progress of the furthest child; null while a child is ready. */
  progress: ProgressReport | null
  /** Why the last child died; null while a child is ready. */
  error: ErrorSummary | null
  /** The pipeline's `info`, from the first ready child. */
  info: unknown
  /** The number of calls that children can hold at the same time, beyond those that wait in the queue. */
  capacity: number
  workers: { pid: number | undefined; state: string; inFlight: number }[]
  /** Set if other hosts answer the calls, in place of `workers`. */
  fleet?: FleetStats
}

/** The hosts that answer calls, and the connection to them. */
export interface FleetStats {
  /** False while the connection to RabbitMQ is lost. */
  connected: boolean
  /** Why RabbitMQ accepts no messages at the moment, such as an alarm; null while it accepts them. */
  blocked: string | null
  hosts: HostStats[]
  /** The calls of all callers that wait in RabbitMQ's queue; null while the number is unknown. */
  waiting: number | null
  /** Milliseconds since the oldest pending call of this process was made; 0 without one. */
  oldest: number
  /** How many times the connection came back. */
  reconnects: number
  /** Messages that RabbitMQ has returned, because no queue takes them. */
  returned: number
  /** Messages that RabbitMQ has refused, because the queue is full. */
  refused: number
  /** Calls that were published again after the connection came back. */
  republished: number
}

/** What a host has last said about one pipeline. */
export interface HostStats {
  name: string
  /** Differs from one start of the host to the next. */
  boot: string
  state: BrokerState
  info: unknown
  /** The number of child processes. */
  children: number
  capacity: number
  inFlight: number
  /** Answers per second. */
  rate: number
  restarts: number
  /** The host has taken over this many calls from a host that died or lost its connection. */
  redelivered: number
  /** Milliseconds since the last word of the host. */
  age: number
}

export interface ErrorSummary {
  code: string
  message: string
  /** True if only a change of a watched file leads to another start. */
  permanent: boolean
}

export interface BrokerEvents {
  state: [{ state: BrokerState; previous: BrokerState; error?: ErrorSummary }]
  /** The first ready child is another one, with the pipeline's `info` as it reports it. */
  info: [{ info: unknown }]
  progress: [{ pid: number | undefined } & ProgressReport]
  /** The pipeline printed a line. */
  log: [{ pid: number | undefined; stream: 'stdout' | 'stderr'; line: string }]
  /** A call has ended, or was refused. */
  call: [{ method: string; outcome: Outcome; code?: string; timing: CallTiming }]
  batch: [{ size: number }]
  /** A host that answers the calls has come, is leaving, or has not been heard of for too long. */
  host: [{ name: string; boot: string; change: 'came' | 'leaving' | 'lost' }]
  'child-start': [{ pid: number | undefined; spare?: true }]
  /** A spare child takes the place of a dead one. */
  takeover: [{ pid: number | undefined }]
  'child-exit': [
    { pid: number | undefined; exitCode: number | null; signal: string | null; expected: boolean },
  ]
}

export function errorSummary(error: Error & { code?: unknown }): ErrorSummary {
  const code = typeof error.code === 'string' ? error.code : 'ERR_PIPELINE'
  return { code, message: error.message, permanent: isPermanent(error) }
}
