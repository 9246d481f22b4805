/** One row for each image, with the numbers of every output one after the other. */
export function sideBySide(outputs: readonly Float32Array[], n: number): Float32Array {
  const [only = new Float32Array(), another] = outputs
  if (!another) return only
  const rows = new Float32Array(outputs.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (let row = 0; row < n; row++) {
    for (const numbers of outputs) {
      const size = numbers.length / n
      rows.set(numbers.subarray(row * size, (row + 1) * size), at)
      at += size
    }
  }
  return rows
}
