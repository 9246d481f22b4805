import type { Engine } from '../engines/engine.ts'
import type { LastFunction } from './last-function.ts'

/** A probability of a model with numbers of 16 bits is off by a thousandth. */
const TOLERANCE = 5e-3

/**
 * What a model seems to do to its numbers in the end, from its answers to a few pictures: some logit of five pictures is
 * negative or above 1, and probabilities of classes sum to 1.
 */
export async function probeOutput(engine: Engine): Promise<LastFunction> {
  const { inputShape, outputSize } = engine
  const length = inputShape.reduce((product, size) => product * size, 1)
  let sumsToOne = outputSize > 1
  for (const picture of PICTURES) {
    const pixels = Uint8Array.from({ length }, (_, at) => picture(at, length))
    const scores = (await engine.run(pixels, 1)).subarray(0, outputSize)
    if (scores.some((score) => !(score >= -TOLERANCE && score <= 1 + TOLERANCE))) return 'linear'
    const sum = scores.reduce((total, score) => total + score, 0)
    sumsToOne &&= Math.abs(sum - 1) <= TOLERANCE
  }
  return sumsToOne ? 'softmax' : 'sigmoid'
}

/** Black, white, a pattern, a gradient, noise. */
const PICTURES: readonly ((at: number, length: number) => number)[] = [
  () => 0,
  () => 255,
  (at) => (at * 37 + (at >> 8)) & 255,
  (at, length) => Math.floor((at / length) * 255),
  // Bits of a product, well mixed.
  (at) => (Math.imul(at + 1, 0x9e37_79b1) >>> 16) & 255,
]
