import type { LayerList } from '../models/networks/layer-list.ts'
import type { Plan, Shape } from './kind.ts'

/** Of all other outputs together: writing them as JSON must stay a matter of milliseconds. */
export const MOST_OTHER_NUMBERS = 10_000

/** An output besides the one that is served. */
export interface OtherOutput {
  readonly name: string
  /** Of the output for one image. */
  readonly shape: Shape
}

/** The other outputs that an answer has room for, in their order. */
export function shortOutputs<Its extends OtherOutput>(outputs: readonly Its[]): Its[] {
  let left = MOST_OTHER_NUMBERS
  return outputs.filter(({ shape }) => {
    const size = sizeOf(shape)
    if (size > left) return false
    left -= size
    return true
  })
}

/** The layers of the other outputs that are computed. */
export function otherOutputs(
  { output, outputs = [] }: LayerList,
  plans: ReadonlyMap<string, Plan>,
): OtherOutput[] {
  const names = [...new Set(outputs)].filter((name) => name !== output)
  return shortOutputs(names.map((name) => ({ name, shape: plans.get(name)?.shape ?? [] })))
}

export const sizeOf = (shape: Shape): number => shape.reduce((product, length) => product * length, 1)
