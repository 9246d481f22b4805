// Below this likeness, one word is not taken for a typing error of the other.
const LEAST_LIKENESS = 0.4

/** The word of `words` that shares the most pairs of letters with `word`; undefined when none is similar. */
export function nearestWord(word: string, words: readonly string[]): string | undefined {
  const pairs = pairsOf(word)
  const ranked = words
    .map((candidate) => ({ candidate, likeness: likeness(pairs, pairsOf(candidate)) }))
    .sort((a, b) => b.likeness - a.likeness)
  const [best] = ranked
  return best !== undefined && best.likeness >= LEAST_LIKENESS ? best.candidate : undefined
}

/** Case and separators are ignored: colour_profile equals colourProfile. Beginning and end count as letters. */
function pairsOf(word: string): ReadonlySet<string> {
  const letters = `^${word.toLowerCase().replace(/[^a-z0-9]/g, '')}$`
  return new Set(Array.from({ length: letters.length - 1 }, (_, at) => letters.slice(at, at + 2)))
}

/** Dice's coefficient: twice the shared pairs, divided by all pairs. */
function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const shared = [...a].filter((pair) => b.has(pair)).length
  return (2 * shared) / (a.size + b.size)
}
