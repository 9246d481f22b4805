import { byteOf } from './byte-weights.ts'

/** The inputs of a row, by how strongly they vary, and how each error is passed on to the inputs after it. */
export interface Passing {
  readonly order: Int32Array
  /** The upper triangle, row by row, in that order. */
  readonly factor: Float64Array
}

/** A little noise in all inputs: without it, weights would be chosen for these images alone. */
const DAMPING = 0.03

/**
 * Prepares the rounding of weights for inputs that vary as in `covariance`: the Cholesky factor of its inverse. Undefined if
 * the inputs do not vary.
 */
export function passingFor(covariance: Float64Array): Passing | undefined {
  const length = Math.sqrt(covariance.length)
  const diagonal = Array.from({ length }, (_, i) => covariance[i * length + i] ?? 0)
  const mean = diagonal.reduce((sum, value) => sum + value, 0) / length
  if (!(mean > 0)) return undefined
  const order = Int32Array.from(diagonal.keys()).sort((a, b) => (diagonal[b] ?? 0) - (diagonal[a] ?? 0))
  const damped = new Float64Array(covariance.length)
  for (let i = 0; i < length; i++) {
    for (let j = 0; j < length; j++) {
      damped[i * length + j] = covariance[(order[i] ?? 0) * length + (order[j] ?? 0)] ?? 0
    }
    damped[i * length + i] = (damped[i * length + i] ?? 0) + DAMPING * mean
  }
  const factor = inverseFactor(damped, length)
  return { order, factor }
}

/**
 * An upper triangular U with Uᵀ U = the inverse of the matrix. The matrix in reversed order is L Lᵀ; reversed again, it is
 * V Vᵀ with an upper triangular V, and U is the inverse of V.
 */
function inverseFactor(matrix: Float64Array, length: number): Float64Array {
  const lower = new Float64Array(matrix.length)
  const at = (i: number, j: number) => (length - 1 - i) * length + (length - 1 - j)
  for (let i = 0; i < length; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[at(i, j)] as number
      for (let k = 0; k < j; k++) sum -= (lower[i * length + k] as number) * (lower[j * length + k] as number)
      lower[i * length + j] =
        i === j ? Math.sqrt(Math.max(sum, 1e-30)) : sum / (lower[j * length + j] as number)
    }
  }
  // The inverse of L, which is lower triangular too.
  const inverse = new Float64Array(matrix.length)
  for (let i = 0; i < length; i++) {
    const pivot = lower[i * length + i] as number
    for (let j = 0; j <= i; j++) {
      let sum = i === j ? 1 : 0
      for (let k = j; k < i; k++)
        sum -= (lower[i * length + k] as number) * (inverse[k * length + j] as number)
      inverse[i * length + j] = sum / pivot
    }
  }
  return inverse.map((_, i) => inverse[length * length - 1 - i] as number)
}

/**
 * Rounds a row of weights one by one. The error that a rounding makes in the output is made up for by the weights that are
 * not yet rounded, as far as their inputs vary together with its own. Writes whole numbers into `bytes`.
 */
export function roundRow(
  row: Float64Array,
  scale: number,
  { order, factor }: Passing,
  { bytes, most }: { bytes: Int8Array; most: number },
): void {
  const length = row.length
  const left = Float64Array.from(order, (input) => row[input] ?? 0)
  for (let i = 0; i < length; i++) {
    const weight = left[i] as number
    const byte = byteOf(weight / scale, most)
    bytes[order[i] as number] = byte
    const base = i * length
    const error = (weight - byte * scale) / (factor[base + i] as number)
    for (let j = i + 1; j < length; j++) left[j] = (left[j] as number) - error * (factor[base + j] as number)
  }
}
