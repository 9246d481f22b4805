import { topIndices } from '../top-indices.ts'

/** How much two models agree on some images. */
export interface Agreement {
  readonly images: number
  /** The part of the images with the same best class. */
  readonly top1: number
  /** The part of the five best classes that both have. */
  readonly top5: number
  /** The largest difference between two numbers of an answer. */
  readonly difference: number
  /** The error of the answers against their size, in decibels: more is better. */
  readonly decibels: number
}

export class AgreementMeter {
  #images = 0
  #same = 0
  #common = 0
  #difference = 0
  #power = 0
  #noise = 0

  add(expected: Float32Array, found: Float32Array): void {
    const [a, b] = [topIndices(expected, TOP), topIndices(found, TOP)]
    this.#images++
    if (a[0] === b[0]) this.#same++
    this.#common += a.filter((index) => b.includes(index)).length / Math.max(1, a.length)
    for (const [i, value] of expected.entries()) {
      const difference = Math.abs(value - (found[i] ?? Number.NaN))
      // NaN too, so that no report hides it.
      if (!(difference <= this.#difference)) this.#difference = difference
    }
    const [power, noise] = powerOf(expected, found)
    this.#power += power
    this.#noise += noise
  }

  get(): Agreement {
    const images = this.#images
    const part = (count: number) => (images === 0 ? 0 : count / images)
    return {
      images,
      top1: part(this.#same),
      top5: part(this.#common),
      difference: this.#difference,
      decibels: decibelsOf(this.#noise / this.#power),
    }
  }
}

const TOP = 5

/** No number is finer than float32: above this, there is no difference. */
const MOST_DECIBELS = 120

export function decibelsOf(noise: number): number {
  return noise > 0 ? Math.min(MOST_DECIBELS, -10 * Math.log10(noise)) : MOST_DECIBELS
}

/** The power of an answer and that of its error, without their means. Of probabilities that sum to one, the logarithms count. */
export function powerOf(expected: Float32Array, found: Float32Array): [power: number, noise: number] {
  const sum = expected.reduce((total, value) => total + value, 0)
  const areParts = Math.abs(sum - 1) < 1e-3 && expected.every((value) => value >= 0)
  const [a, b] = [expected, found].map((values) =>
    areParts ? values.map((value) => Math.log(Math.max(value, 0) + TINY)) : values,
  ) as [Float32Array, Float32Array]
  const [meanOfA, meanOfB] = [mean(a), mean(b)]
  let [power, noise] = [0, 0]
  for (const [i, value] of a.entries()) {
    const its = value - meanOfA
    const error = its - ((b[i] ?? 0) - meanOfB)
    power += its * its
    noise += error * error
  }
  return [power, noise]
}

/** A probability below this says nothing. */
const TINY = 1e-9

const mean = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0) / values.length
