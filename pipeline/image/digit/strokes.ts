import { dilated, type Plane } from './plane.ts'

// A patch smaller than this part of the largest patch is dust, not the second stroke of a digit.
const SMALLEST_PART = 0.04
// A patch along this part of the border is an edge of the paper or a shadow, unless there is no other patch.
const BORDER_PART = 0.12
// The width of a stroke's soft edge, in pixels.
const EDGE = 2

interface Patch {
  readonly label: number
  size: number
  /** Pixels on the border of the picture. */
  border: number
  isInk: boolean
}

interface Limits {
  readonly least: number
  readonly threshold: number
  /** False for a photograph, where a patch at the border is a dark corner, unless the digit touches the border too. */
  readonly isEven: boolean
}

/**
 * Marks the strokes of a digit with 1. A stroke is a patch of connected pixels above `least` with at least one above
 * `threshold`; dust and patches that reach in from the border are left out.
 */
export function strokesOf(plane: Plane, { least, threshold, isEven }: Limits): Float32Array {
  const { width, height } = plane
  const { labels, patches } = connected(plane, least, threshold)
  const ink = patches.filter(({ isInk }) => isInk)
  const along = BORDER_PART * 2 * (width + height)
  const inside = ink.filter(({ border }) => border < along)
  const largestInside = Math.max(0, ...inside.map(({ size }) => size))
  const isSubstantial = largestInside >= SMALLEST_PART * Math.max(0, ...ink.map(({ size }) => size))
  const candidates = isSubstantial ? inside : ink
  const largest = Math.max(0, ...candidates.map(({ size }) => size))
  const isWithin = candidates.some(({ size, border }) => size === largest && border === 0)
  const isStroke = ({ size, border }: Patch) =>
    size >= SMALLEST_PART * largest && (isEven || !isWithin || border === 0)
  const kept = new Set(candidates.filter(isStroke).map(({ label }) => label))
  const values = new Float32Array(labels.length)
  for (let i = 0; i < labels.length; i++) values[i] = kept.has(labels[i] as number) ? 1 : 0
  return dilated({ values, width, height }, EDGE).values
}

function connected({ values, width, height }: Plane, least: number, threshold: number) {
  const labels = new Int32Array(values.length)
  const stack = new Int32Array(values.length)
  const patches: Patch[] = []
  for (let start = 0; start < values.length; start++) {
    if (labels[start] !== 0 || (values[start] as number) <= least) continue
    const patch = { label: patches.length + 1, size: 0, border: 0, isInk: false }
    patches.push(patch)
    let waiting = 0
    stack[waiting++] = start
    labels[start] = patch.label
    while (waiting > 0) {
      const at = stack[--waiting] as number
      const x = at % width
      const y = Math.floor(at / width)
      patch.size++
      if (x === 0 || y === 0 || x === width - 1 || y === height - 1) patch.border++
      if ((values[at] as number) > threshold) patch.isInk = true
      for (let row = Math.max(y - 1, 0); row <= Math.min(y + 1, height - 1); row++) {
        for (let column = Math.max(x - 1, 0); column <= Math.min(x + 1, width - 1); column++) {
          const next = row * width + column
          if (labels[next] !== 0 || (values[next] as number) <= least) continue
          labels[next] = patch.label
          stack[waiting++] = next
        }
      }
    }
  }
  return { labels, patches }
}
