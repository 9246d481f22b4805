import type { CallTiming } from '../../broker/broker.ts'

export const STAGES = ['queue', 'prepare', 'predict', 'total'] as const
export type Stage = (typeof STAGES)[number]
export type Percentile = 'P50' | 'P95' | 'P99'
export type LatencyColumn = `${Stage}${Percentile}`

/** Enough for two calls above the p99. Sorting this many takes about ten microseconds per stage. */
const CAPACITY = 256
const PERCENTILES = [
  ['P50', 0.5],
  ['P95', 0.95],
  ['P99', 0.99],
] as const

export const LATENCY_COLUMNS: readonly LatencyColumn[] = STAGES.flatMap((stage) =>
  PERCENTILES.map(([name]) => `${stage}${name}` as const),
)

/** The times of the calls that ended in an interval: all of them up to the capacity, beyond that a random sample. */
export class LatencyReservoir {
  readonly #times: Readonly<Record<Stage, Float32Array>>
  // Calls since the last take(), including those that were not kept.
  #seen = 0

  constructor(capacity = CAPACITY) {
    const times = () => new Float32Array(capacity)
    this.#times = { queue: times(), prepare: times(), predict: times(), total: times() }
  }

  add(timing: Readonly<Pick<CallTiming, Stage>>): void {
    const place = this.#seen++
    const capacity = this.#times.total.length
    const at = place < capacity ? place : Math.floor(Math.random() * (place + 1))
    // Reservoir sampling: a later call is less likely to replace a kept one, so that all calls have the same chance.
    if (at >= capacity) return
    for (const stage of STAGES) this.#times[stage][at] = timing[stage]
  }

  /** The percentiles since the last take(), in milliseconds; NaN if no call has ended. */
  take(): Record<LatencyColumn, number> {
    const taken = Object.fromEntries(LATENCY_COLUMNS.map((column) => [column, Number.NaN]))
    const kept = Math.min(this.#seen, this.#times.total.length)
    this.#seen = 0
    if (kept > 0) {
      for (const stage of STAGES) {
        const sorted = this.#times[stage].subarray(0, kept).sort()
        for (const [name, part] of PERCENTILES) taken[`${stage}${name}`] = nearestRank(sorted, part)
      }
    }
    // The first line sets every key of LATENCY_COLUMNS; fromEntries loses these types.
    return taken as Record<LatencyColumn, number>
  }
}

function nearestRank(sorted: Float32Array, part: number): number {
  return sorted[Math.ceil(part * sorted.length) - 1] ?? Number.NaN
}
