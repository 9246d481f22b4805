import type { Engine } from './engines/engine.ts'
import { sizeOf } from './graph/computed-outputs.ts'

/** The numbers of the other outputs for one image, by the names of the outputs. */
export type OtherNumbers = Readonly<Record<string, { shape: readonly number[]; values: readonly number[] }>>

/** `row` holds the numbers of all outputs, those of the served one first. */
export function otherNumbers({ others, outputSize }: Engine, row: Float32Array): OtherNumbers {
  let at = outputSize
  const entries = others.map(({ name, shape }) => {
    const values = [...row.subarray(at, at + sizeOf(shape))]
    at += values.length
    return [name, { shape: [...shape], values }] as const
  })
  return Object.fromEntries(entries)
}
