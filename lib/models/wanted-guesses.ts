/** Which guesses are wanted; what is left out is as the model has it. */
export interface Wanted {
  /** how many at most */
  readonly top?: number | undefined
  /** only those with more than this probability */
  readonly above?: number | undefined
}

/** More than any model has classes: all of them. */
export const ALL_GUESSES = 1_000_000
/** What the routes of all dialects want unless they are asked for more, so that one answer of the model serves them all. */
const FEW_GUESSES = 10

/** How many guesses to ask a model for, so that the same answer serves whoever asks about the same image next. */
export function guessesToAsk({ top, above }: Wanted, usual: number): number {
  const few = Math.max(FEW_GUESSES, usual)
  if (above === undefined && (top ?? usual) <= few) return few
  // Of probabilities that sum to 1, fewer than that many can be above it.
  return above !== undefined && above >= 1 / few ? few : ALL_GUESSES
}

/** What is wanted of a list that has more. */
export function cutGuesses(value: unknown, { top, above }: Wanted, usual: number): unknown {
  if (!Array.isArray(value)) return value
  const best: unknown[] = value.slice(0, top ?? (above === undefined ? usual : ALL_GUESSES))
  return above === undefined ? best : best.filter((guess) => probabilityOf(guess) > above)
}

/** Of a model whose probabilities do not sum to 1, there may be more above the threshold than were asked for. */
export function isCutShort(value: unknown, { above }: Wanted, asked: number): boolean {
  return (
    above !== undefined &&
    Array.isArray(value) &&
    value.length === asked &&
    probabilityOf(value.at(-1)) > above
  )
}

function probabilityOf(guess: unknown): number {
  const { probability } =
    typeof guess === 'object' && guess !== null ? (guess as { probability?: unknown }) : {}
  return typeof probability === 'number' ? probability : Number.NaN
}
