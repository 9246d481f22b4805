import { topIndices } from '../top-indices.ts'

/** How much two models agree on some images. */
export interface Agreement {
  readonly images: number
  /** The part of the images with the same best class. */
  readonly top1: number
  /**
   * The same for pictures that are like these, by the distance between the two best classes of each and by the noise. Counting
   * alone would take luck with a hundred pictures for agreement.
   */
  readonly expected: number
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
  #numbers = 0
  // Between the two best classes of each answer.
  readonly #distances: number[] = []

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
    this.#numbers += expected.length
    const logits = undone(expected)
    const [best = 0, second = 0] = a.map((index) => logits[index] ?? 0)
    this.#distances.push(best - second)
  }

  #expected(): number {
    // The difference of two numbers has twice the variance of one.
    const deviation = Math.sqrt((2 * this.#noise) / Math.max(1, this.#numbers))
    const sum = this.#distances.reduce(
      (total, distance) => total + likelihood(distance / (deviation || TINY)),
      0,
    )
    return this.#images === 0 ? 0 : sum / this.#images
  }

  get(): Agreement {
    const images = this.#images
    const part = (count: number) => (images === 0 ? 0 : count / images)
    return {
      images,
      top1: part(this.#same),
      expected: this.#expected(),
      top5: part(this.#common),
      difference: this.#difference,
      decibels: decibelsOf(this.#noise / this.#power),
    }
  }
}

const TOP = 5

/** How likely a normal variable is above −x (Abramowitz and Stegun 26.2.17). */
function likelihood(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x))
  const series =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  const tail = (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * series
  return x >= 0 ? 1 - tail : tail
}

/** No number is finer than float32: above this, there is no difference. */
const MOST_DECIBELS = 120

export function decibelsOf(noise: number): number {
  return noise > 0 ? Math.min(MOST_DECIBELS, -10 * Math.log10(noise)) : MOST_DECIBELS
}

/** The power of an answer and that of its error, without their means. Of probabilities that sum to one, the logarithms count. */
export function powerOf(expected: Float32Array, found: Float32Array): [power: number, noise: number] {
  const isUndone = areParts(expected)
  const [a, b] = isUndone ? [logarithms(expected), logarithms(found)] : [expected, found]
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

/** Probabilities that sum to one. */
function areParts(values: Float32Array): boolean {
  const sum = values.reduce((total, value) => total + value, 0)
  return Math.abs(sum - 1) < 1e-3 && values.every((value) => value >= 0)
}

const logarithms = (values: Float32Array): Float32Array =>
  values.map((value) => Math.log(Math.max(value, 0) + TINY))

/** The numbers before a softmax, but for a sum that is the same for all classes. */
const undone = (values: Float32Array): Float32Array => (areParts(values) ? logarithms(values) : values)

/** A probability below this says nothing. */
const TINY = 1e-9

const mean = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0) / values.length
