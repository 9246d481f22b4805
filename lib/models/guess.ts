import { z } from 'zod'
import { HttpError } from '../http/errors.ts'

/** One guess of an image model. Clients know it as a prediction. */
export const Guess = z.looseObject({
  index: z.int().describe('Position of the class in the outputs of the model.'),
  label: z.string().describe('The first synonym, such as "tiger cat".'),
  name: z.string().describe('The name of the class in Keras, such as "tiger_cat"; not unique.'),
  full: z.string().describe('All synonyms, such as "Eskimo dog, husky".'),
  wnid: z.string().optional().describe('The WordNet id, if the class has one.'),
  probability: z
    .number()
    .describe('From 0 to 1, unless the settings of the model have "output": "none": then its own number.'),
})
export type Guess = z.output<typeof Guess>

export const Timing = z
  .object({
    queue: z.number(),
    prepare: z.number(),
    predict: z.number(),
    total: z.number(),
    cached: z
      .literal(true)
      .optional()
      .describe('The answer was kept from an earlier request with the same image.'),
    shared: z
      .literal(true)
      .optional()
      .describe('The answer was computed for another request with the same image at the same time.'),
  })
  .describe(
    'Milliseconds of each stage: wait in the queue, preparation of the image, prediction, and the total.',
  )

export type Timing = z.output<typeof Timing>

/** The guesses in the answer of a pipeline; undefined if the user's own pipeline answers with something else. */
export function guessesIn(value: unknown): readonly Guess[] | undefined {
  return Array.isArray(value) && value.every(isGuess) ? value : undefined
}

/** For routes that can answer only with guesses. */
export function mustHaveGuesses({
  model,
  guesses,
}: {
  readonly model: string
  readonly guesses: readonly Guess[] | undefined
}): readonly Guess[] {
  if (guesses !== undefined) return guesses
  throw new HttpError(
    'ERR_MODEL_ANSWER',
    `The model "${model}" does not answer with labels and probabilities.`,
  )
}

/** Checked by hand: zod needs milliseconds for 1,000 guesses and would block the event loop. */
function isGuess(guess: unknown): guess is Guess {
  if (typeof guess !== 'object' || guess === null) return false
  const { index, label, name, full, wnid, probability } = guess as Partial<Record<keyof Guess, unknown>>
  const texts = [label, name, full, wnid ?? '']
  return (
    Number.isInteger(index) &&
    typeof probability === 'number' &&
    texts.every((text) => typeof text === 'string')
  )
}
