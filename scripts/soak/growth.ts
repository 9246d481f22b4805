export interface Point {
  readonly seconds: number
  readonly value: number
}

/** The points of one process, over the seconds since its start or the start of the test. */
export type Life = readonly Point[]

export interface Growth {
  readonly perHour: number
  /** twice the standard error of `perHour` */
  readonly margin: number
  /** from the first to the last point of the longest life */
  readonly seconds: number
}

const HOUR_S = 3600
/** Below, the margin would be a guess. */
const MIN_POINTS = 4

/**
 * The slope that several lives have in common, by linear regression. Each life has its own height: a child that starts
 * with more memory than the one before does not grow. undefined where there are too few points.
 */
export function growth(lives: readonly Life[]): Growth | undefined {
  const used = lives.filter((life) => life.length > 1)
  let spread = 0
  let covariance = 0
  for (const life of used) {
    const centre = centreOf(life)
    for (const { seconds, value } of life) {
      spread += (seconds - centre.seconds) ** 2
      covariance += (seconds - centre.seconds) * (value - centre.value)
    }
  }
  const count = used.reduce((sum, life) => sum + life.length, 0)
  const freedom = count - used.length - 1
  if (count < MIN_POINTS || freedom < 1 || spread === 0) return undefined
  const slope = covariance / spread
  const error = Math.sqrt(squaredErrors(used, slope) / freedom / spread)
  return { perHour: slope * HOUR_S, margin: 2 * error * HOUR_S, seconds: longest(used) }
}

/**
 * The lowest point of each window. Between two garbage collections, memory rises and falls by megabytes; what is left
 * after them is what a leak raises.
 */
export function lowestOf(life: Life, windowSeconds: number): Life {
  const lowest = new Map<number, Point>()
  for (const point of life) {
    const window = Math.floor(point.seconds / windowSeconds)
    const known = lowest.get(window)
    if (known === undefined || point.value < known.value) lowest.set(window, point)
  }
  return [...lowest.values()]
}

function centreOf(life: Life): Point {
  const mean = (read: (point: Point) => number) =>
    life.reduce((sum, point) => sum + read(point), 0) / life.length
  return { seconds: mean(({ seconds }) => seconds), value: mean(({ value }) => value) }
}

function squaredErrors(lives: readonly Life[], slope: number): number {
  let sum = 0
  for (const life of lives) {
    const centre = centreOf(life)
    for (const { seconds, value } of life)
      sum += (value - centre.value - slope * (seconds - centre.seconds)) ** 2
  }
  return sum
}

function longest(lives: readonly Life[]): number {
  return Math.max(...lives.map((life) => (life.at(-1)?.seconds ?? 0) - (life[0]?.seconds ?? 0)))
}
