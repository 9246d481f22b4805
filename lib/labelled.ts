import type { z } from 'zod'
import { HttpError } from './errors.ts'
import { Prediction } from './schemas.ts'

export type Labelled = z.output<typeof Prediction>

const Predictions = Prediction.array()

/** The guesses of an image model. A pipeline of the user's own may answer anything at all, and not every route can show that. */
export function labelled(value: unknown): Labelled[] | undefined {
  const parsed = Predictions.safeParse(value)
  return parsed.success ? parsed.data : undefined
}

export function mustBeLabelled(model: string, value: unknown): Labelled[] {
  const predictions = labelled(value)
  if (predictions !== undefined) return predictions
  throw new HttpError(
    'ERR_MODEL_ANSWER',
    `The model "${model}" does not answer with labels and probabilities.`,
  )
}
