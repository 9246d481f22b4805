import type { Guess } from './question.ts'

/** Batches of another size are computed in another order, which changes the last digits of a float. */
const TOLERANCE = 1e-4
/** Scores that are rounded to four decimals differ by a whole step, and by what a float adds to it. */
const ROUNDING = 1e-9
/** Classes as close as this may come in either order. */
const TIE = 1e-6

/** What is different, in words, or undefined for the same labels in the same order with the same probabilities. */
export function difference(right: readonly Guess[], came: readonly Guess[]): string | undefined {
  if (came.length !== right.length) return `${came.length} classes came in place of ${right.length}`
  for (const [i, { label, probability }] of right.entries()) {
    const other = came[i]
    if (other === undefined || !mayStandAt(i, other.label, right))
      return `"${other?.label}" came in place of "${label}" (class ${i + 1})`
    if (!(Math.abs(other.probability - probability) <= TOLERANCE + ROUNDING))
      return `"${other.label}" came with ${other.probability} in place of ${probability}`
  }
  const labels = (guesses: readonly Guess[]) => JSON.stringify(guesses.map(({ label }) => label).sort())
  return labels(right) === labels(came) ? undefined : 'a class came twice'
}

function mayStandAt(i: number, label: string, right: readonly Guess[]): boolean {
  const here = right[i]
  if (here === undefined || here.label === label) return here !== undefined
  return right.some((other) => other.label === label && Math.abs(other.probability - here.probability) <= TIE)
}
