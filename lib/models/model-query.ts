import { z } from 'zod'
import { wholeNumber } from '../http/query.ts'

const MAX_TOP = 1000

/** The query parameters of every route that predicts. */
export const ModelQuery = z.object({
  model: z.string().optional().describe('A served model to use in place of the default one.'),
  top: wholeNumber(1, MAX_TOP).optional().describe('The maximum number of guesses.'),
})
export type ModelQuery = z.output<typeof ModelQuery>
