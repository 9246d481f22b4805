import type { Hdf5Reader } from '../hdf5/hdf5-reader.ts'

/** The name under which a model keeps its layers: that of Keras 3, and that of Keras 2.12 and 2.13. */
export const CONTAINERS = ['layers', '_layer_checkpoint_dependencies'] as const

export type Container = (typeof CONTAINERS)[number]

/** The name in this file; undefined if the file is of another kind. */
export async function containerIn(file: Hdf5Reader): Promise<Container | undefined> {
  for (const name of CONTAINERS) if (await file.isGroup(`/${name}`)) return name
  return undefined
}

/**
 * Finds the group of a layer by the path `/layers/functional/layers/conv2d_1`. Files of Keras 2.12 and 2.13 have gaps in
 * the numbers of groups, so the second group of a class is that of the second layer of the class, whatever its number.
 */
export function groupFinder(file: Hdf5Reader, container: Container): (path: string) => Promise<string> {
  const known = new Map<string, readonly string[]>()
  const membersOf = async (path: string): Promise<readonly string[]> => {
    const members = known.get(path) ?? ((await file.isGroup(path)) ? await file.members(path) : [])
    known.set(path, members)
    return members
  }
  return async (path) => {
    if (container === 'layers') return path
    let found = ''
    for (const name of path.split('/layers/').slice(1)) {
      const { word, number } = numbered(name)
      const within = `${found}/${container}`
      const alike = (await membersOf(within))
        .map((member) => ({ member, ...numbered(member) }))
        .filter((one) => one.word === word)
        .sort((a, b) => a.number - b.number)
      found = `${within}/${alike[number]?.member ?? name}`
    }
    return found
  }
}

/** conv2d_1 → conv2d, 1; a name without a number counts as number 0. */
function numbered(name: string): { word: string; number: number } {
  const match = /^(.*?)_(\d{1,9})$/s.exec(name)
  return { word: match?.[1] ?? name, number: Number(match?.[2] ?? 0) }
}
