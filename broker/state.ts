import type { CallTiming, Outcome } from './pending.ts'
import type { ProgressReport } from './pipeline.ts'

export type BrokerState = 'idle' | 'starting' | 'ready' | 'restarting' | 'failed' | 'closing' | 'closed'

export interface BrokerStats {
  state: BrokerState
  queued: number
  queuedBytes: number
  inFlight: number
  /** Children that died unasked; not those that ended because their pipeline cannot be made. */
  restarts: number
  /** While no child is ready: how far the furthest is. */
  progress: ProgressReport | null
  /** While no child is ready: why the last one died. */
  error: ErrorSummary | null
  /** What the pipeline says of itself. */
  info: unknown
  workers: { pid: number | undefined; state: string; inFlight: number }[]
}

export interface ErrorSummary {
  code: string
  message: string
}

export interface BrokerEvents {
  state: [{ state: BrokerState; previous: BrokerState; error?: ErrorSummary }]
  progress: [{ pid: number | undefined } & ProgressReport]
  /** A line that the pipeline printed. */
  log: [{ pid: number | undefined; stream: 'stdout' | 'stderr'; line: string }]
  /** A call has ended, or was refused. */
  call: [{ method: string; outcome: Outcome; code?: string; timing: CallTiming }]
  batch: [{ size: number }]
  'child-start': [{ pid: number | undefined }]
  'child-exit': [
    { pid: number | undefined; exitCode: number | null; signal: string | null; expected: boolean },
  ]
}

export function errorSummary(error: Error & { code?: unknown }): ErrorSummary {
  return { code: typeof error.code === 'string' ? error.code : 'ERR_PIPELINE', message: error.message }
}
