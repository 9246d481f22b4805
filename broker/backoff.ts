const FIRST_MS = 50
const LONGEST_MS = 30_000

/**
 * The delay before the next child starts, after `deaths` deaths in a row. There is none after the first, since most deaths
 * are accidents; then the delay doubles, so that a pipeline that cannot start does not burn a core.
 */
export function backoff(deaths: number): number {
  if (deaths <= 1) return 0
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** (deaths - 2))
}

// An accident says little about the pipeline: a series of accidents must lead neither to long delays nor to the state
// `failed`.
const ACCIDENT_WEIGHT = 0.1

export interface Death {
  /** by a signal of an operator, or of the kernel when it is short of memory */
  readonly isOutside: boolean
  /** over an input that cost too much */
  readonly isOverInput: boolean
  /** how long the start took; undefined if the child was never ready */
  readonly startMs: number | undefined
  /** how long the child has served */
  readonly readyMs: number
}

/**
 * As how many deaths one death counts. A kill from outside does not count if the child has served for longer than it
 * started: however often that happens, most of the time is spent on calls.
 */
export function deathWeight({ isOutside, isOverInput, startMs, readyMs }: Death): number {
  if (isOutside && startMs !== undefined && readyMs >= startMs) return 0
  return isOutside || isOverInput ? ACCIDENT_WEIGHT : 1
}
