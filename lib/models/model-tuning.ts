import { z } from 'zod'

const Batch = z.object({
  size: z.int().min(1).describe('The number of images.'),
  ms: z.number().min(0).describe('Milliseconds for all images of the batch.'),
})

/** What measurements on this machine have found about a model. */
export const ModelTuning = z.object({
  state: z.enum(['wanted', 'done']).describe('wanted: the measurements are made when the service is idle.'),
  sentence: z.string().nullable().describe('What is faster, and by how much; null if nothing was changed.'),
  batches: z.array(Batch).max(64).describe('How long batches of some sizes take.'),
})
export type ModelTuning = z.output<typeof ModelTuning>

/** Null for what is no tuning, such as the info of a pipeline of the user. */
export function readTuning(value: unknown): ModelTuning | null {
  return ModelTuning.safeParse(value).data ?? null
}

/** Such as: Batches of images, measured: 1 in 94.0 ms, 2 in 199 ms */
export function batchesSentence({ batches }: Pick<ModelTuning, 'batches'>): string {
  const times = batches.map(
    ({ size, ms }) => `${size} in ${ms < 100 ? ms.toPrecision(3) : Math.round(ms)} ms`,
  )
  return `Batches of images, measured: ${times.join(', ')}`
}
