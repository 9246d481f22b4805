/** Weights as bytes with a sign. number = scales[row] · byte. */
export interface ByteWeights {
  readonly bytes: Int8Array
  readonly scales: Float32Array
}

/** Shares of the largest number, from which the scale of least squared error is taken. */
const SHARES: readonly number[] = Array.from({ length: 36 }, (_, i) => 1 - i / 64)

/** `most`: the largest byte, 127 or 63. */
export function byteRows(
  rows: Float32Array,
  count: number,
  method: 'squares' | 'minmax',
  most: number,
): ByteWeights {
  const each = rows.length / count
  const bytes = new Int8Array(rows.length)
  const scales = new Float32Array(count)
  for (let row = 0; row < count; row++) {
    const numbers = rows.subarray(row * each, (row + 1) * each)
    const scale = scaleOf(numbers, method, most)
    scales[row] = scale
    for (let i = 0; i < each; i++) bytes[row * each + i] = byteOf((numbers[i] ?? 0) / scale, most)
  }
  return { bytes, scales }
}

function scaleOf(numbers: Float32Array, method: 'squares' | 'minmax', most: number): number {
  let largest = 0
  for (const number of numbers) largest = Math.max(largest, Math.abs(number))
  if (largest === 0) return 1
  // The scale is kept as a float32: the bytes must fit that number.
  const whole = Math.fround(largest / most)
  if (method === 'minmax') return whole
  let best = { error: Number.POSITIVE_INFINITY, scale: whole }
  for (const share of SHARES) {
    const scale = Math.fround((largest * share) / most)
    const error = errorOf(numbers, scale, most)
    if (error < best.error) best = { error, scale }
  }
  return best.scale
}

function errorOf(numbers: Float32Array, scale: number, most: number): number {
  let error = 0
  for (let i = 0; i < numbers.length; i++) {
    const value = (numbers[i] as number) / scale
    const difference = value - byteOf(value, most)
    error += difference * difference
  }
  return error * scale * scale
}

/** Inputs that do not vary in these images may do so in others. */
const UNSEEN = 0.25
const TINY = 1e-12

/** The scale of least squared error in the output, for inputs that vary as the diagonal of `covariance` says. */
export function weighedScale(row: Float64Array, covariance: Float64Array, most: number): number {
  let largest = 0
  for (const weight of row) largest = Math.max(largest, Math.abs(weight))
  if (largest === 0) return 1
  let mean = 0
  for (let i = 0; i < row.length; i++) mean += (covariance[i * row.length + i] as number) / row.length
  let best = { error: Number.POSITIVE_INFINITY, scale: 1 }
  for (const share of SHARES) {
    const scale = Math.fround((largest * share) / most)
    let error = 0
    for (let i = 0; i < row.length; i++) {
      const weight = row[i] as number
      const difference = weight - byteOf(weight / scale, most) * scale
      error += difference * difference * ((covariance[i * row.length + i] as number) + UNSEEN * mean + TINY)
    }
    if (error < best.error) best = { error, scale }
  }
  return best.scale
}

export function byteOf(value: number, most: number): number {
  return Math.max(-most, Math.min(most, Math.round(value)))
}

/**
 * The same for a matrix whose columns have a scale each, a scale for each output. Read row by row, as the numbers lie in
 * memory.
 */
export function byteColumns(
  matrix: Float32Array,
  columns: number,
  method: 'squares' | 'minmax',
  most: number,
): ByteWeights {
  const scales = new Float32Array(columns)
  for (let i = 0; i < matrix.length; i++) {
    const column = i % columns
    scales[column] = Math.max(scales[column] ?? 0, Math.abs(matrix[i] as number))
  }
  const largest = scales.slice()
  for (let column = 0; column < columns; column++) scales[column] = (largest[column] || most) / most
  if (method === 'squares') chooseColumns(matrix, { largest, scales, most })
  const bytes = new Int8Array(matrix.length)
  for (let i = 0; i < matrix.length; i++)
    bytes[i] = byteOf((matrix[i] as number) / (scales[i % columns] as number), most)
  return { bytes, scales }
}

/** A matrix may have a hundred million numbers: fewer shares, and not all rows, give the scales as well. */
const COLUMN_SHARES: readonly number[] = [1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.6, 0.5]
const ENOUGH_NUMBERS = 2 ** 23

function chooseColumns(
  matrix: Float32Array,
  { largest, scales, most }: { largest: Float32Array; scales: Float32Array; most: number },
): void {
  const columns = scales.length
  const rows = matrix.length / columns
  const step = Math.max(1, Math.floor(matrix.length / ENOUGH_NUMBERS))
  const best = new Float64Array(columns).fill(Number.POSITIVE_INFINITY)
  for (const share of COLUMN_SHARES) {
    const errors = new Float64Array(columns)
    for (let row = 0; row < rows; row += step) {
      for (let column = 0; column < columns; column++) {
        const scale = ((largest[column] || most) * share) / most
        const value = (matrix[row * columns + column] as number) / scale
        const difference = (value - byteOf(value, most)) * scale
        errors[column] = (errors[column] as number) + difference * difference
      }
    }
    for (let column = 0; column < columns; column++) {
      if ((errors[column] as number) >= (best[column] as number)) continue
      best[column] = errors[column] as number
      scales[column] = ((largest[column] || most) * share) / most
    }
  }
}
