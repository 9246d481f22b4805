import type { Guess } from './guess.ts'

/** The guesses that a request asks for. A missing field means the model's default. */
export interface WantedGuesses {
  /** maximum number */
  readonly top?: number | undefined
  /** only guesses with more than this probability */
  readonly above?: number | undefined
}

/** The answer of a pipeline. `guesses` is set if `value` is a list of guesses. */
export interface Guessed {
  readonly value: unknown
  readonly guesses: readonly Guess[] | undefined
}

/** All guesses: more than any model has classes. */
export const ALL_GUESSES = 1_000_000
/** Enough for the default answer of every dialect, so that one kept answer of the model serves all dialects. */
const FEW_GUESSES = 10

/** How many guesses to ask a model for, so that the kept answer serves the next request with the same image too. */
export function guessesToAsk({ top, above }: WantedGuesses, usual: number): number {
  const few = Math.max(FEW_GUESSES, usual)
  if (above === undefined && (top ?? usual) <= few) return few
  // Probabilities sum to 1, so fewer than `few` of them can be above 1 / few.
  return above !== undefined && above >= 1 / few ? few : ALL_GUESSES
}

/** Cuts an answer down to the wanted guesses. A list of other values is cut after its first entries. */
export function cutGuesses({ value, guesses }: Guessed, wanted: WantedGuesses, usual: number): Guessed {
  const { top, above } = wanted
  const most = top ?? (above === undefined ? usual : ALL_GUESSES)
  if (guesses === undefined) return { value: Array.isArray(value) ? value.slice(0, most) : value, guesses }
  const best = guesses.slice(0, most)
  const cut = above === undefined ? best : best.filter(({ probability }) => probability > above)
  return { value: cut, guesses: cut }
}

/** If a model's probabilities do not sum to 1, more guesses than were asked for may be above the threshold. */
export function isCutShort({ guesses }: Guessed, { above }: WantedGuesses, asked: number): boolean {
  const last = guesses?.at(-1)
  return above !== undefined && last !== undefined && guesses?.length === asked && last.probability > above
}
