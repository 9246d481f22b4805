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
  workers: { pid: number | undefined; state: string; inFlight: number }[]
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
