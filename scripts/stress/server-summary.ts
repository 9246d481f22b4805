import type { ServerFigures } from '../shared/server-figures.ts'

/** What the server did in one level. */
export interface ServerSummary {
  readonly maxQueued: number
  readonly maxInFlight: number
  /** Milliseconds: the worst p99 of an interval, and the worst delay of all. */
  readonly delayP99: number
  readonly delayMax: number
  readonly batches: number
  /** undefined where no batch was computed */
  readonly meanBatch: number | undefined
  /** Batches by size: from the size of the row before to this one. */
  readonly batchSizes: readonly { readonly upTo: number; readonly count: number }[]
  readonly restarts: number
  /** Predictions that were not computed: from the cache, or with an equal image. */
  readonly cached: number
  readonly residentBytes: number
  readonly cpuSeconds: number
}

/** From the figures before a level and those of its intervals. */
export function summarise(
  before: ServerFigures | undefined,
  during: readonly (ServerFigures | undefined)[],
): ServerSummary | undefined {
  const told = during.filter((figures) => figures !== undefined)
  const last = told.at(-1)
  const first = before ?? told[0]
  if (first === undefined || last === undefined) return undefined
  const largest = (read: (figures: ServerFigures) => number) => Math.max(...told.map(read))
  const batches = last.batches.count - first.batches.count
  return {
    maxQueued: largest(({ queued }) => queued),
    maxInFlight: largest(({ inFlight }) => inFlight),
    delayP99: largest(({ delay }) => delay.p99),
    delayMax: largest(({ delay }) => delay.max),
    batches,
    meanBatch: meanBatch(first, last),
    batchSizes: [...last.batches.upTo]
      .map(([upTo, count]) => ({ upTo, count: count - (first.batches.upTo.get(upTo) ?? 0) }))
      .filter(({ count }) => count > 0),
    restarts: last.restarts - first.restarts,
    cached: last.cached - first.cached,
    residentBytes: largest(({ residentBytes }) => residentBytes),
    cpuSeconds: last.cpuSeconds - first.cpuSeconds,
  }
}

/** Of the batches between two times. */
export function meanBatch(first: ServerFigures, last: ServerFigures): number | undefined {
  const batches = last.batches.count - first.batches.count
  return batches > 0 ? (last.batches.calls - first.batches.calls) / batches : undefined
}
