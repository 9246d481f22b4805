import { integerOf, integersOf } from './float-graph.ts'
import type { Unit } from './units.ts'

/** The parts of an image that a convolution multiplies with its weights. */
export interface PatchShape {
  readonly groups: number
  /** Channels of a group. */
  readonly inputs: number
  readonly kernel: readonly [number, number]
  readonly strides: readonly [number, number]
  readonly dilations: readonly [number, number]
  /** Above and on the left. */
  readonly pads: readonly [number, number]
  /** Of the result. */
  readonly size: readonly [number, number]
}

export function patchShape(
  { node }: Unit,
  dims: readonly number[],
  [, outHeight = 1, outWidth = 1]: readonly number[],
): PatchShape {
  const [, inputs = 1, height = 1, width = 1] = dims
  const both = (name: string, otherwise: number): [number, number] => {
    const [first = otherwise, second = otherwise] = integersOf(node, name) ?? []
    return [first, second]
  }
  return {
    groups: integerOf(node, 'group', 1),
    inputs,
    kernel: [height, width],
    strides: both('strides', 1),
    dilations: both('dilations', 1),
    pads: both('pads', 0),
    size: [outHeight, outWidth],
  }
}

/**
 * How the numbers that meet in a convolution vary together. Of each image, a few places count, always the same ones: all
 * places would take longer than the model itself.
 */
export class Covariance {
  readonly length: number
  readonly #shape: PatchShape
  /** By group: the sums, and the sums of products of which the lower triangle is filled. */
  readonly #sums: Float64Array
  readonly #products: Float64Array
  readonly #patch: Float32Array
  #count = 0

  constructor(shape: PatchShape) {
    const { groups, inputs, kernel } = shape
    this.#shape = shape
    this.length = inputs * kernel[0] * kernel[1]
    this.#sums = new Float64Array(groups * this.length)
    this.#products = new Float64Array(groups * this.length ** 2)
    this.#patch = new Float32Array(this.length)
  }

  static bytesFor({ groups, inputs, kernel }: PatchShape): number {
    return 8 * groups * (inputs * kernel[0] * kernel[1]) ** 2
  }

  /** `image`: channels, height, width. */
  add(numbers: Float32Array, image: readonly number[]): void {
    const { groups, size } = this.#shape
    const places = size[0] * size[1]
    const taken = Math.min(places, PLACES)
    for (let i = 0; i < taken; i++) {
      // Spread over the image; the golden ratio keeps them from lying in columns.
      const place =
        taken === places ? i : Math.floor(((i * 0.618033988749895 + this.#count * 0.37) % 1) * places)
      for (let group = 0; group < groups; group++) {
        this.#read(numbers, image, { group, row: Math.floor(place / size[1]), column: place % size[1] })
        this.#accumulate(group)
      }
      this.#count++
    }
  }

  #read(
    numbers: Float32Array,
    [, height = 1, width = 1]: readonly number[],
    { group, row, column }: { group: number; row: number; column: number },
  ): void {
    const { inputs, kernel, strides, dilations, pads } = this.#shape
    for (let input = 0, at = 0; input < inputs; input++) {
      const base = (group * inputs + input) * height * width
      for (let y = 0; y < kernel[0]; y++) {
        const top = row * strides[0] - pads[0] + y * dilations[0]
        for (let x = 0; x < kernel[1]; x++, at++) {
          const left = column * strides[1] - pads[1] + x * dilations[1]
          const isInside = top >= 0 && top < height && left >= 0 && left < width
          this.#patch[at] = isInside ? (numbers[base + top * width + left] as number) : 0
        }
      }
    }
  }

  #accumulate(group: number): void {
    const { length } = this
    const patch = this.#patch
    const products = this.#products
    for (let i = 0; i < length; i++) {
      const value = patch[i] as number
      if (value === 0) continue
      this.#sums[group * length + i] = (this.#sums[group * length + i] as number) + value
      const base = group * length * length + i * length
      for (let j = 0; j <= i; j++) {
        products[base + j] = (products[base + j] as number) + value * (patch[j] as number)
      }
    }
  }

  /** Whether there are enough patches to tell how inputs vary together, and not only how they did in these images. */
  get isReliable(): boolean {
    return this.#count >= PATCHES_PER_INPUT * this.length
  }

  mean(group: number): Float64Array {
    const { length } = this
    const count = this.#count || 1
    return this.#sums.slice(group * length, (group + 1) * length).map((sum) => sum / count)
  }

  /** The whole matrix of a group, row by row, with each input divided by its number. */
  matrix(group: number, divisors: Float64Array): Float64Array {
    const { length } = this
    const mean = this.mean(group)
    const base = group * length * length
    const count = this.#count || 1
    const matrix = new Float64Array(length * length)
    for (let i = 0; i < length; i++) {
      for (let j = 0; j <= i; j++) {
        const product = (this.#products[base + i * length + j] as number) / count
        const value = product - (mean[i] as number) * (mean[j] as number)
        const scaled = value / ((divisors[i] as number) * (divisors[j] as number))
        matrix[i * length + j] = scaled
        matrix[j * length + i] = scaled
      }
    }
    return matrix
  }
}

const PATCHES_PER_INPUT = 4

/** Of each image. */
const PLACES = 64
