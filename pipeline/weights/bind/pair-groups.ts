import { listNames, loadError, quote } from '../source/model-file-error.ts'
import type { SourceGroup } from '../source/source-array.ts'
import type { WantedGroup } from './wanted-groups.ts'

export interface Pair {
  readonly wanted: WantedGroup
  readonly group: SourceGroup
}

/**
 * Pairs each layer with a group of the file: by name if every name is found, otherwise by place among the groups that
 * hold weights. Official files need the second way: names like `conv2d_7` count the layers of the session in which the
 * file was made, and differ from the names of the layers here.
 */
export function pairGroups(
  file: string,
  wanted: readonly WantedGroup[],
  groups: readonly SourceGroup[],
): Pair[] {
  const full = groups.filter(({ arrays }) => arrays.length > 0)
  const byName = new Map(full.map((group) => [group.name, group]))
  const missing = wanted.filter(({ name }) => !byName.has(name)).map(({ name }) => name)
  if (full.length !== wanted.length) {
    const known = new Set(wanted.map(({ name }) => name))
    const surplus = full.filter(({ name }) => !known.has(name)).map(({ name }) => name)
    throw loadError(
      `${file} has weights for ${full.length} layers, the model needs them for ${wanted.length}` +
        `${missing.length ? `; there are none for ${listNames(missing)}` : ''}` +
        `${surplus.length ? `; the model has no ${listNames(surplus)}` : ''}.`,
    )
  }
  if (missing.length === 0) return pair(wanted, ({ name }) => byName.get(name))
  const pairs = pair(wanted, (_, i) => full[i])
  mustCountAlike(file, pairs)
  return pairs
}

function pair(
  wanted: readonly WantedGroup[],
  find: (wanted: WantedGroup, i: number) => SourceGroup | undefined,
): Pair[] {
  return wanted.flatMap((one, i) => {
    const group = find(one, i)
    return group ? [{ wanted: one, group }] : []
  })
}

/**
 * Shapes do not show that two layers of the same shape have changed places. So names that number the same word must at
 * least be in the same order: conv2d, conv2d_1, conv2d_5 may be conv2d_1, conv2d_2, conv2d_6 in the file, but not
 * conv2d_1, conv2d_6, conv2d_2.
 */
function mustCountAlike(file: string, pairs: readonly Pair[]): void {
  const words = new Map<string, { here: number; there: number; pair: Pair }[]>()
  for (const one of pairs) {
    const [here, there] = [numbered(one.wanted.name), numbered(one.group.name)]
    if (here.word !== there.word) continue
    const numbers = words.get(here.word) ?? []
    numbers.push({ here: here.number, there: there.number, pair: one })
    words.set(here.word, numbers)
  }
  for (const numbers of words.values()) {
    numbers.sort((a, b) => a.here - b.here)
    const wrong = numbers.find(({ there }, i) => i > 0 && there <= (numbers[i - 1]?.there ?? -1))
    if (!wrong) continue
    throw loadError(
      `${file} has its layers in another order than the model: ${quote(wrong.pair.group.name)} stands where ` +
        `${quote(wrong.pair.wanted.name)} should be.`,
    )
  }
}

/** A name without a number counts as number 0. */
function numbered(name: string): { word: string; number: number } {
  const match = /^(.*?)_(\d{1,9})$/s.exec(name)
  return { word: match?.[1] ?? name, number: Number(match?.[2] ?? 0) }
}
