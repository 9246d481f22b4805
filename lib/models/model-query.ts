import { z } from 'zod'

const MAX_TOP = 1000

/** What every route that predicts can be asked for beside the image. */
export const ModelQuery = z.object({
  model: z.string().optional().describe('Another of the served models.'),
  top: z.coerce.number().int().min(1).max(MAX_TOP).optional().describe('The most guesses that are wanted.'),
})
export type ModelQuery = z.output<typeof ModelQuery>
