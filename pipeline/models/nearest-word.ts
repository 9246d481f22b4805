// Two words that share less than this are not each other's typing error.
const LEAST_LIKENESS = 0.4

/** The word of `words` that is most like `word`, by the pairs of letters that both have; none when none is. */
export function nearestWord(word: string, words: readonly string[]): string | undefined {
  const pairs = pairsOf(word)
  const ranked = words
    .map((candidate) => ({ candidate, likeness: likeness(pairs, pairsOf(candidate)) }))
    .sort((a, b) => b.likeness - a.likeness)
  const [best] = ranked
  return best !== undefined && best.likeness >= LEAST_LIKENESS ? best.candidate : undefined
}

/** Case and separators do not count: colour_profile is colourProfile. The ends count as letters of their own. */
function pairsOf(word: string): ReadonlySet<string> {
  const letters = `^${word.toLowerCase().replace(/[^a-z0-9]/g, '')}$`
  return new Set(Array.from({ length: letters.length - 1 }, (_, at) => letters.slice(at, at + 2)))
}

/** Dice's coefficient: twice what is shared over all that there is. */
function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const shared = [...a].filter((pair) => b.has(pair)).length
  return (2 * shared) / (a.size + b.size)
}
