import { findPaper } from './paper.ts'
import { bytesOf, type Plane, quantile, softened } from './plane.ts'
import { strokesOf } from './strokes.ts'

// An encoder leaves fainter contrasts than this (of 255) on empty paper.
const LEAST_CONTRAST = 10
// Ink and paper must differ by this many deviations of the noise: noise alone divides into two parts that are nearer.
const LEAST_DEVIATIONS = 5
// A pixel this many deviations darker than the paper is not noise.
const NOISE = 3
// A stroke with a dark part extends to pixels with this part of full ink. On a photograph the limit is higher, because
// other things are as faint, such as the lines of ruled paper.
const FAINT = 0.25
const FAINT_ON_PHOTOGRAPH = 0.35
// Against noise, a photograph is softened once for every so many pixels of the longer side.
const SOFTENED_EVERY = 150
// A shadow darker than this part of the light on most of the paper shows mainly noise, and is not brightened further.
const DARKEST_SHADOW = 0.3

// Ink at least this dark (of 255) is not made darker.
const DARK_ENOUGH = 200

export interface Ink {
  /** The ink on each pixel, 0 to 255, in the strokes alone. */
  readonly strokes: Plane
  /** The ink of the whole picture, with dust and the faintest grey. Only for a drawn or scanned picture. */
  readonly everything?: () => Uint8Array
}

/** Finds the ink on a picture; the paper becomes 0. Undefined when the picture is empty. */
export function findInk(plane: Plane): Ink | undefined {
  const { width, height } = plane
  const { raw, noise, isEven } = differences(plane)
  const { threshold, below, above } = divided(raw)
  if (above - below < Math.max(LEAST_CONTRAST, LEAST_DEVIATIONS * noise)) return undefined
  const full = quantile(
    raw.filter((value) => value > threshold),
    0.75,
  )
  const least = Math.max(NOISE * noise, (isEven ? FAINT : FAINT_ON_PHOTOGRAPH) * full)
  const marks = strokesOf({ values: raw, width, height }, { least, threshold, isEven })
  // On an even picture there is little noise, so even the faintest grey at the edge of a stroke is ink.
  const zero = isEven ? noise : least / 2
  const values = raw.map((value, i) =>
    marks[i] ? Math.min(Math.max((255 * (value - zero)) / (full - zero), 0), 255) : 0,
  )
  const strokes = { values, width, height }
  return isEven ? { strokes, everything: () => stretched(raw) } : { strokes }
}

function stretched(raw: Float32Array): Uint8Array {
  const most = raw.reduce((most, value) => Math.max(most, value), 0)
  const factor = most < DARK_ENOUGH ? 255 / most : 1
  return bytesOf(raw.map((value) => factor * value))
}

/** The difference of each pixel from the paper, positive towards the ink, and the deviation of the paper. */
function differences(plane: Plane): { raw: Float32Array; noise: number; isEven: boolean } {
  const { levels, isInkDark, isEven } = findPaper(plane)
  const paper = levels.values
  if (isEven) {
    const sign = isInkDark ? -1 : 1
    const raw = plane.values.map((value, i) => sign * (value - (paper[i] as number)))
    return { raw, noise: deviation(raw), isEven }
  }
  const darkest = Math.max(1, DARKEST_SHADOW * quantile(paper, 0.5))
  const { values } = softenedFor(plane)
  const raw = values.map((value, i) => {
    const level = paper[i] as number
    // Ink takes away a part of the light, so the difference is relative to the light, which is less in a shadow.
    return isInkDark ? (255 * (level - value)) / Math.max(level, darkest) : value - level
  })
  const usual = quantile(raw, 0.5)
  const moved = raw.map((value) => value - usual)
  return { raw: moved, noise: deviation(moved), isEven }
}

/** The standard deviation of the paper, from the median: more than half of the pixels are paper. */
function deviation(raw: Float32Array): number {
  return 1.4826 * quantile(raw.map(Math.abs), 0.5)
}

function softenedFor(plane: Plane): Plane {
  const times = Math.round(Math.max(plane.width, plane.height) / SOFTENED_EVERY)
  let result = plane
  for (let time = 0; time < times; time++) result = softened(result)
  return result
}

const BINS = 256

/** Otsu's threshold, which divides the values into two parts with the least variance, and the mean of each part. */
function divided(values: Float32Array): { threshold: number; below: number; above: number } {
  const counts = new Float64Array(BINS)
  for (const value of values) {
    const bin = Math.min(Math.max(Math.round(value), 0), BINS - 1)
    counts[bin] = (counts[bin] as number) + 1
  }
  const all = counts.reduce((sum, count, bin) => sum + count * bin, 0)
  let best = { threshold: 0, below: 0, above: 0 }
  let most = 0
  let count = 0
  let sum = 0
  for (let bin = 0; bin < BINS - 1; bin++) {
    count += counts[bin] as number
    sum += bin * (counts[bin] as number)
    const rest = values.length - count
    if (count === 0 || rest === 0) continue
    const [below, above] = [sum / count, (all - sum) / rest]
    const between = count * rest * (above - below) ** 2
    if (between > most) {
      most = between
      best = { threshold: bin + 0.5, below, above }
    }
  }
  return best
}
