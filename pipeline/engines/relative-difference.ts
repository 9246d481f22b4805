/** The largest difference between two answers, relative to the largest expected number; NaN if a number is missing or NaN. */
export function relativeDifference(found: Float32Array, expected: Float32Array): number {
  if (found.length !== expected.length) return Number.NaN
  let [largest, difference] = [0, 0]
  for (let i = 0; i < expected.length; i++) {
    const value = expected[i] ?? 0
    largest = Math.max(largest, Math.abs(value))
    difference = Math.max(difference, Math.abs(value - (found[i] ?? Number.NaN)))
  }
  return difference === 0 ? 0 : difference / largest
}
