import { type Parameter, sizeOf } from './network.ts'
import { normal, type Random } from './random.ts'

/** All parameters, by name. */
export type Values = ReadonlyMap<string, Float32Array>

const BETA1 = 0.9
const BETA2 = 0.99
const EPSILON = 1e-8
// Weight decay: this part of each step moves kernels towards zero.
const DECAY = 0.02

export function initialValues(parameters: readonly Parameter[], random: Random): Values {
  return new Map(
    parameters.map(({ name, shape, start }) => {
      const values = new Float32Array(sizeOf(shape))
      if (start === 'ones') values.fill(1)
      if (start === 'kernel') {
        const inputs = shape.length === 4 ? sizeOf(shape.slice(1)) : (shape[0] ?? 1)
        const deviation = Math.sqrt((shape.length === 4 ? 2 : 1) / inputs)
        for (let i = 0; i < values.length; i++) values[i] = normal(random) * deviation
      }
      return [name, values]
    }),
  )
}

/** Adam with decoupled weight decay. */
export class Adam {
  readonly #values: Values
  readonly #means = new Map<string, Float32Array>()
  readonly #squares = new Map<string, Float32Array>()
  #steps = 0

  constructor(values: Values) {
    this.#values = values
    for (const [name, { length }] of values) {
      this.#means.set(name, new Float32Array(length))
      this.#squares.set(name, new Float32Array(length))
    }
  }

  /** Takes one step: changes the values by their gradients. */
  step(gradientOf: (name: string) => Float32Array, rate: number): void {
    this.#steps++
    const scale = Math.sqrt(1 - BETA2 ** this.#steps) / (1 - BETA1 ** this.#steps)
    for (const [name, values] of this.#values) {
      const gradient = gradientOf(name)
      const means = this.#means.get(name) ?? new Float32Array()
      const squares = this.#squares.get(name) ?? new Float32Array()
      const shrink = name.endsWith('/kernel') ? 1 - rate * DECAY : 1
      for (let i = 0; i < values.length; i++) {
        const slope = gradient[i] as number
        const mean = BETA1 * (means[i] as number) + (1 - BETA1) * slope
        const square = BETA2 * (squares[i] as number) + (1 - BETA2) * slope * slope
        means[i] = mean
        squares[i] = square
        values[i] = (values[i] as number) * shrink - (rate * scale * mean) / (Math.sqrt(square) + EPSILON)
      }
    }
  }
}
