import { findPaper } from './paper.ts'
import { type Plane, quantile } from './plane.ts'
import { strokesOf } from './strokes.ts'

// Fainter than this (of 255) is what an encoder leaves on empty paper.
const LEAST_CONTRAST = 10
// Noise makes two halves, too, when it is divided in two, but not so far apart.
const LEAST_DEVIATIONS = 5
// What is darker than this many deviations of the paper is no noise.
const NOISE = 3
// Of full ink: as much as this is still part of a stroke that has a darker part.
const FAINT = 0.15

/** How much ink is on each pixel, from 0 to 255, the paper being 0 everywhere; undefined when the picture is empty. */
export function findInk(plane: Plane): Plane | undefined {
  const { width, height } = plane
  const { raw, noise } = differences(plane)
  const { threshold, below, above } = divided(raw)
  if (above - below < Math.max(LEAST_CONTRAST, LEAST_DEVIATIONS * noise)) return undefined
  const full = quantile(
    raw.filter((value) => value > threshold),
    0.75,
  )
  const least = Math.max(NOISE * noise, FAINT * full)
  const strokes = strokesOf({ values: raw, width, height }, least, threshold)
  // Without noise, the faintest grey at the edge of a stroke belongs to it.
  const zero = noise * 2
  const values = raw.map((value, i) =>
    strokes[i] ? Math.min(Math.max((255 * (value - zero)) / (full - zero), 0), 255) : 0,
  )
  return { values, width, height }
}

/** How far each pixel is from the paper, on the side of the ink, and by how much paper differs from paper. */
function differences(plane: Plane): { raw: Float32Array; noise: number } {
  const { levels, isInkDark, isEven } = findPaper(plane)
  const raw = plane.values.map((value, i) => {
    const paper = levels.values[i] as number
    if (!isInkDark) return value - paper
    // Ink takes away a part of the light, of which there is less in a shadow.
    return isEven ? paper - value : (255 * (paper - value)) / Math.max(paper, 1)
  })
  if (isEven) return { raw, noise: 0 }
  const usual = quantile(raw.slice(), 0.5)
  const noise =
    1.4826 *
    quantile(
      raw.map((value) => Math.abs(value - usual)),
      0.5,
    )
  return { raw: raw.map((value) => value - usual), noise }
}

const BINS = 256

/** Otsu's threshold, which leaves the two parts with the least variance, and the mean of each. */
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
