import { z } from 'zod'

/** The outputs of a model besides the served one, by name. */
export const OtherOutputs = z
  .record(z.string(), z.object({ shape: z.array(z.int()), values: z.array(z.number().nullable()) }))
  .describe(
    'Present if the model has several outputs: the numbers of the others as they are, by the names of the outputs.',
  )
export type OtherOutputs = z.output<typeof OtherOutputs>

export interface SplitAnswer {
  readonly value: unknown
  readonly outputs?: OtherOutputs
}

/** The answer of the built-in pipeline, with the guesses or features apart from the other outputs. */
export function splitAnswer(value: unknown): SplitAnswer {
  if (typeof value !== 'object' || value === null || !('outputs' in value)) return { value }
  const { outputs, ...rest } = value
  return { value: 'predictions' in rest ? rest.predictions : rest, outputs: outputs as OtherOutputs }
}

/** The number of numbers. */
export function countOf(outputs: OtherOutputs = {}): number {
  return Object.values(outputs).reduce((sum, { values }) => sum + values.length, 0)
}
