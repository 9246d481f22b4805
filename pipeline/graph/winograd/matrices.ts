/*
 * The matrices of F(4 × 4, 3 × 3) for the points 0, 1, −1, 2, −2 and infinity. For a tile d of 6 × 6 pixels and a kernel g,
 * the 4 × 4 results are AT · ((G · g · GT) ⊙ (BT · d · B)) · A.
 */

/** Pixels along a side: of a tile of the image, of the result, and from one tile to the next. */
export const TILE = 6
export const STEP = 4
/** The numbers of a transformed tile. */
export const PLACES = TILE * TILE

export const INPUT_MATRIX: readonly (readonly number[])[] = [
  [4, 0, -5, 0, 1, 0],
  [0, -4, -4, 1, 1, 0],
  [0, 4, -4, -1, 1, 0],
  [0, -2, -1, 2, 1, 0],
  [0, 2, -1, -2, 1, 0],
  [0, 4, 0, -5, 0, 1],
]

const KERNEL_MATRIX: readonly (readonly number[])[] = [
  [1 / 4, 0, 0],
  [-1 / 6, -1 / 6, -1 / 6],
  [-1 / 6, 1 / 6, -1 / 6],
  [1 / 24, 1 / 12, 1 / 6],
  [1 / 24, -1 / 12, 1 / 6],
  [0, 0, 1],
]

export const OUTPUT_MATRIX: readonly (readonly number[])[] = [
  [1, 1, 1, 1, 1, 0],
  [0, 1, -1, 2, -2, 0],
  [0, 1, 1, 4, 4, 0],
  [0, 1, -1, 8, -8, 1],
]

/** For each pair of rows of a matrix, their products: a transformation along both axes in one step. */
export function bothAxes(matrix: readonly (readonly number[])[]): number[] {
  return matrix.flatMap((row) =>
    matrix.flatMap((other) => row.flatMap((vertical) => other.map((horizontal) => vertical * horizontal))),
  )
}

/**
 * Transforms a kernel (3 × 3, in, out) in double precision, one place of the tile after the other. Each piece is
 * (in, out), or (out, in) for `groups`.
 */
export function* transformedKernel(
  kernel: Float32Array,
  { channels, filters }: { channels: number; filters: number },
  { byFilter, factors }: { byFilter: boolean; factors?: Float64Array | undefined },
): Generator<Float32Array> {
  const each = channels * filters
  // A layer that is only timed has no weights.
  if (kernel.every((weight) => weight === 0)) {
    const zeros = new Float32Array(each)
    for (let place = 0; place < PLACES; place++) yield zeros
    return
  }
  const sum = new Float64Array(each)
  for (const vertical of KERNEL_MATRIX) {
    for (const horizontal of KERNEL_MATRIX) {
      sum.fill(0)
      for (const [row, ofRow] of vertical.entries()) {
        for (const [column, ofColumn] of horizontal.entries()) {
          addScaled(sum, kernel, (row * 3 + column) * each, ofRow * ofColumn)
        }
      }
      yield laidOut(sum, { channels, filters }, byFilter, factors)
    }
  }
}

function addScaled(sum: Float64Array, kernel: Float32Array, from: number, factor: number): void {
  if (factor === 0) return
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + (kernel[from + i] ?? 0) * factor
}

function laidOut(
  sum: Float64Array,
  { channels, filters }: { channels: number; filters: number },
  byFilter: boolean,
  factors: Float64Array | undefined,
): Float32Array {
  const piece = new Float32Array(sum.length)
  for (let channel = 0; channel < channels; channel++) {
    for (let filter = 0; filter < filters; filter++) {
      const value = (sum[channel * filters + filter] ?? 0) * (factors?.[filter] ?? 1)
      piece[byFilter ? filter * channels + channel : channel * filters + filter] = value
    }
  }
  return piece
}
