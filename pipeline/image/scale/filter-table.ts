import type { AxisPlacement } from './placement.ts'

export type Filter = 'bilinear' | 'bicubic'

/** For pixel i of the result: the first source pixel, the count of source pixels, and the weights from i · reach on. */
export interface FilterTable {
  readonly first: Int32Array
  readonly count: Int32Array
  readonly weights: Int32Array
  readonly reach: number
}

/** Weights are whole numbers in units of 2 ** -22, so that sums of weighted bytes stay within 32 bits. */
export const WEIGHT_BITS = 22
export const ONE = 2 ** WEIGHT_BITS

const CURVE = -0.5
const KERNELS = {
  bilinear: { support: 1, at: (x: number) => (Math.abs(x) < 1 ? 1 - Math.abs(x) : 0) },
  bicubic: { support: 2, at: cubic },
} as const

/**
 * Pillow's weights along one axis. When the image shrinks, the kernel is stretched to cover every source pixel. The
 * operations are in Pillow's order too, because the last bit of a weight can change a pixel.
 */
export function filterTable(filter: Filter, { source, scaled, start, size }: AxisPlacement): FilterTable {
  const kernel = KERNELS[filter]
  const scale = source / scaled
  const stretch = Math.max(scale, 1)
  const support = kernel.support * stretch
  const reach = Math.ceil(support) * 2 + 1
  const table = {
    first: new Int32Array(size),
    count: new Int32Array(size),
    weights: new Int32Array(size * reach),
    reach,
  }
  const weights = new Float64Array(reach)
  for (let i = 0; i < size; i++) {
    const center = (i + start + 0.5) * scale
    const first = Math.max(Math.trunc(center - support + 0.5), 0)
    const count = Math.min(Math.trunc(center + support + 0.5), source) - first
    let sum = 0
    for (let j = 0; j < count; j++) {
      const weight = kernel.at((j + first - center + 0.5) * (1 / stretch))
      weights[j] = weight
      sum += weight
    }
    for (let j = 0; j < count; j++) table.weights[i * reach + j] = fixed((weights[j] as number) / sum)
    table.first[i] = first
    table.count[i] = count
  }
  return table
}

function fixed(weight: number): number {
  return Math.trunc(weight * ONE + (weight < 0 ? -0.5 : 0.5))
}

function cubic(signed: number): number {
  const x = Math.abs(signed)
  if (x < 1) return ((CURVE + 2) * x - (CURVE + 3)) * x * x + 1
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * CURVE
  return 0
}
