import type { Guess } from './guess.ts'

/** Which guesses are wanted; what is left out is as the model has it. */
export interface WantedGuesses {
  /** how many at most */
  readonly top?: number | undefined
  /** only those with more than this probability */
  readonly above?: number | undefined
}

/** What a pipeline answered: `guesses` where `value` is a list of them. */
export interface Guessed {
  readonly value: unknown
  readonly guesses: readonly Guess[] | undefined
}

/** More than any model has classes: all of them. */
export const ALL_GUESSES = 1_000_000
/** What the routes of all dialects want unless they are asked for more, so that one answer of the model serves them all. */
const FEW_GUESSES = 10

/** How many guesses to ask a model for, so that the same answer serves whoever asks about the same image next. */
export function guessesToAsk({ top, above }: WantedGuesses, usual: number): number {
  const few = Math.max(FEW_GUESSES, usual)
  if (above === undefined && (top ?? usual) <= few) return few
  // Of probabilities that sum to 1, fewer than that many can be above it.
  return above !== undefined && above >= 1 / few ? few : ALL_GUESSES
}

/** What is wanted of an answer that has more. Of a list that holds something else, the first entries are the best. */
export function cutGuesses({ value, guesses }: Guessed, wanted: WantedGuesses, usual: number): Guessed {
  const { top, above } = wanted
  const most = top ?? (above === undefined ? usual : ALL_GUESSES)
  if (guesses === undefined) return { value: Array.isArray(value) ? value.slice(0, most) : value, guesses }
  const best = guesses.slice(0, most)
  const cut = above === undefined ? best : best.filter(({ probability }) => probability > above)
  return { value: cut, guesses: cut }
}

/** Of a model whose probabilities do not sum to 1, there may be more above the threshold than were asked for. */
export function isCutShort({ guesses }: Guessed, { above }: WantedGuesses, asked: number): boolean {
  const last = guesses?.at(-1)
  return above !== undefined && last !== undefined && guesses?.length === asked && last.probability > above
}
