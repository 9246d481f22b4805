import type { BatchTime } from '../pipeline.ts'

/** Smaller batches that reach this part of the highest rate are preferred, because their callers wait less. */
const GOOD_ENOUGH = 0.98
/**
 * What a batch costs in addition to the measured time, whatever its size: the answers are sent, the next calls arrive, and the
 * engine finds its caches filled with other things. Between 1 and 5 ms on two cores.
 */
const BETWEEN_BATCHES_MS = 2

/**
 * How many of the waiting inputs the next batch should take: as many as give the highest rate, by the measured times, and not
 * so many that the batch would take longer than `longestMs`. Without measurements, all of them.
 */
export function batchSize(waiting: number, times: readonly BatchTime[], longestMs: number): number {
  if (times.length === 0 || waiting < 2) return waiting
  const sizes = Array.from({ length: waiting }, (_, i) => i + 1).filter(
    (size) => size === 1 || msOf(size, times) <= longestMs,
  )
  const rate = (size: number) => size / (msOf(size, times) + BETWEEN_BATCHES_MS)
  const best = Math.max(...sizes.map(rate))
  return sizes.find((size) => rate(size) >= best * GOOD_ENOUGH) ?? 1
}

/** Between two measured sizes the time grows evenly, and beyond the largest at the rate of that one. */
function msOf(size: number, times: readonly BatchTime[]): number {
  const above = times.find((time) => time.size >= size)
  const below = times.findLast((time) => time.size <= size)
  if (!above || !below) {
    const only = above ?? below
    return only ? (only.ms * size) / only.size : 0
  }
  if (above.size === below.size) return above.ms
  return below.ms + ((above.ms - below.ms) * (size - below.size)) / (above.size - below.size)
}

/** The measured times that a pipeline reports, the smallest batch first. Nonsense counts as no measurement. */
export function readTimes(times: unknown): BatchTime[] {
  if (!Array.isArray(times)) return []
  const isAmount = (value: unknown) => Number.isFinite(value) && Number(value) > 0
  const wellFormed = times.every(
    (time: BatchTime | undefined) =>
      isAmount(time?.ms) && Number.isInteger(time?.size) && isAmount(time?.size),
  )
  return wellFormed ? [...(times as BatchTime[])].sort((a, b) => a.size - b.size) : []
}
