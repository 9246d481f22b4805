import type { z } from 'zod'
import type { Prediction } from '../dialects/schemas.ts'
import { HttpError } from '../http/errors.ts'

export type Labelled = z.output<typeof Prediction>

/** Looked at by hand: for a list of a thousand, the schema takes milliseconds that everybody else would wait. */
function isGuess(guess: unknown): guess is Labelled {
  if (typeof guess !== 'object' || guess === null) return false
  const { index, label, name, full, wnid, probability } = guess as Partial<Record<keyof Labelled, unknown>>
  const texts = [label, name, full, wnid ?? '']
  return (
    Number.isInteger(index) &&
    typeof probability === 'number' &&
    texts.every((text) => typeof text === 'string')
  )
}

/** The guesses of an image model. A pipeline of the user's own may answer anything at all, and not every route can show that. */
export function labelled(value: unknown): Labelled[] | undefined {
  return Array.isArray(value) && value.every(isGuess) ? value : undefined
}

export function mustBeLabelled(model: string, value: unknown): Labelled[] {
  const predictions = labelled(value)
  if (predictions !== undefined) return predictions
  throw new HttpError(
    'ERR_MODEL_ANSWER',
    `The model "${model}" does not answer with labels and probabilities.`,
  )
}
