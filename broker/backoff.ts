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
