import type { Histogram } from './histogram.ts'
import type { ByteScale, Method } from './recipe.ts'

const MOST_BYTE = 255
/** Shares of the largest number that are tried as the end of a range. */
const SHARES: readonly number[] = Array.from({ length: 40 }, (_, i) => 1 - i / 50)

/** The range of a tensor that bytes cover, and always contains zero. */
export interface Range {
  readonly least: number
  readonly most: number
}

/** The range whose bytes have the least squared error, or the range of everything that occurred. */
export function rangeOf(numbers: Numbers, method: Method): Range {
  const whole = { least: numbers.least, most: numbers.most }
  if (method === 'minmax' || whole.most === whole.least) return whole
  const entries = numbers.entries()
  let best = whole
  let least = errorOf(entries, whole)
  // Both ends in turn: a shorter range helps one end only together with the other in rare cases.
  for (const side of ['most', 'least', 'most'] as const) {
    for (const share of SHARES) {
      const range = { ...best, [side]: whole[side] * share }
      const error = errorOf(entries, range)
      if (error < least) [best, least] = [range, error]
    }
  }
  return best
}

/** What occurred in a tensor: the middle of each bin, and how often. */
export interface Numbers {
  readonly least: number
  readonly most: number
  entries(): readonly (readonly [number, number])[]
}

export function numbersOf(histogram: Histogram, divisors?: Float32Array): Numbers {
  let [least, most] = [0, 0]
  for (let channel = 0; channel < histogram.channels; channel++) {
    const divisor = divisors?.[channel] ?? 1
    least = Math.min(least, histogram.least(channel) / divisor)
    most = Math.max(most, histogram.most(channel) / divisor)
  }
  return {
    least,
    most,
    entries: () => merged(histogram, divisors, Math.max(-least, most)),
  }
}

export function numbersOfChannel(histogram: Histogram, channel: number): Numbers {
  return {
    least: histogram.least(channel),
    most: histogram.most(channel),
    entries: () => [...histogram.entries(channel)],
  }
}

const MERGED_BINS = 2048

/** Of all channels together. */
function merged(
  histogram: Histogram,
  divisors: Float32Array | undefined,
  largest: number,
): [number, number][] {
  const counts = new Float64Array(2 * MERGED_BINS)
  const width = largest / MERGED_BINS || 1
  for (let channel = 0; channel < histogram.channels; channel++) {
    const divisor = divisors?.[channel] ?? 1
    for (const [value, times] of histogram.entries(channel)) {
      const bin = Math.min(
        2 * MERGED_BINS - 1,
        Math.max(0, Math.floor(value / divisor / width) + MERGED_BINS),
      )
      counts[bin] = (counts[bin] ?? 0) + times
    }
  }
  return [...counts].flatMap((times, bin): [number, number][] =>
    times > 0 ? [[(bin - MERGED_BINS + 0.5) * width, times]] : [],
  )
}

/** Rounding errors are spread evenly over a step; what lies beyond the range is cut off. */
function errorOf(entries: readonly (readonly [number, number])[], { least, most }: Range): number {
  const step = (most - least) / MOST_BYTE
  const rounding = (step * step) / 12
  let error = 0
  for (const [value, times] of entries) {
    const beyond = Math.max(0, value - most, least - value)
    error += times * (beyond > 0 ? beyond * beyond : rounding)
  }
  return error
}

export function scaleOf({ least, most }: Range): ByteScale {
  const scale = Math.fround((most - least) / MOST_BYTE) || 1
  return { scale, zero: Math.max(0, Math.min(MOST_BYTE, Math.round(-least / scale))) }
}

export const endOf = ({ scale, zero }: ByteScale): number => scale * (MOST_BYTE - zero)
