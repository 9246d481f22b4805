import type { BrokerState, BrokerStats } from '../../broker/broker.ts'

/** What one model is doing now, as people and programs are shown it. */
export interface ModelStatus {
  name: string
  state: BrokerState
  device: string | null
  /** why it is this device */
  reason: string | null
  engine: string | null
  progress: { fraction: number; word: string } | null
  error: { code: string; message: string } | null
  restarts: number
  queued: number
  inFlight: number
  workers: { pid: number | null; state: string; inFlight: number }[]
}

export function describeModel(name: string, stats: BrokerStats): ModelStatus {
  const { state, progress, error, restarts, queued, inFlight, workers, info } = stats
  return {
    name,
    state,
    device: textIn(info, 'device'),
    reason: textIn(info, 'reason'),
    engine: textIn(info, 'engine'),
    progress,
    error,
    restarts,
    queued,
    inFlight,
    workers: workers.map(({ pid, ...rest }) => ({ pid: pid ?? null, ...rest })),
  }
}

/** A pipeline says of itself what it likes. */
function textIn(info: unknown, key: string): string | null {
  const value: unknown = typeof info === 'object' && info !== null ? Reflect.get(info, key) : undefined
  return typeof value === 'string' ? value : null
}
