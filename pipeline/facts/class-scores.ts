import type { OutputFacts } from './output-facts.ts'

/** The numbers of one image as the classes' numbers: the function is applied, and a yes or no becomes two classes. */
export function classScores(row: Float32Array, { applied }: OutputFacts, classes: number): Float32Array {
  const scores = FUNCTIONS[applied](row)
  if (classes === scores.length) return scores
  const [yes = 0] = scores
  return Float32Array.of(1 - yes, yes)
}

const FUNCTIONS: Readonly<Record<OutputFacts['applied'], (row: Float32Array) => Float32Array>> = {
  none: (row) => row,
  sigmoid: (row) => row.map((value) => 1 / (1 + Math.exp(-value))),
  softmax(row) {
    const largest = row.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)
    // In doubles, and rounded once.
    const powers = Float64Array.from(row, (value) => Math.exp(value - largest))
    const sum = powers.reduce((total, power) => total + power, 0)
    return Float32Array.from(powers, (power) => power / sum)
  },
}
