import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** For each file, the files of the repository that it imports, including types and dynamic imports. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>

const SOURCE = /(?<!\.d)\.[cm]?[jt]s$/
const SPECIFIER = /(?:\bfrom|\bimport)\s*\(?\s*(['"])(\.{1,2}\/[^'"]+)\1/g

/** Every source file below the folders, as paths from the root with forward slashes. */
export function sourcesIn(...folders: readonly string[]): string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && SOURCE.test(entry.name))
      .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).replaceAll('\\', '/')),
  )
}

export function importGraph(files: readonly string[]): ImportGraph {
  return new Map(files.map((file) => [file, importsOf(file, readFileSync(join(ROOT, file), 'utf8'))]))
}

export function importsOf(file: string, text: string): string[] {
  return [...text.matchAll(SPECIFIER)].map(([, , specifier = '']) =>
    join(dirname(file), specifier).replaceAll('\\', '/'),
  )
}

/** Every import cycle once, as the list of its files. */
export function circlesIn(graph: ImportGraph): string[][] {
  const circles: string[][] = []
  const done = new Set<string>()
  const way: string[] = []
  const visit = (file: string): void => {
    const at = way.indexOf(file)
    if (at >= 0) circles.push([...way.slice(at), file])
    if (at >= 0 || done.has(file)) return
    way.push(file)
    for (const next of graph.get(file) ?? []) visit(next)
    way.pop()
    done.add(file)
  }
  for (const file of graph.keys()) visit(file)
  return circles
}

/** A floor is a set of rooms. Files may import from their own room and from the floors below it. */
export type Floors = readonly (readonly string[])[]

/**
 * The imports from a higher floor or from another room of the same floor, as "a.ts imports b.ts". A room is a folder or
 * a single file; of nested rooms, the innermost one counts. Files outside all rooms are ignored.
 */
export function climbsIn(graph: ImportGraph, floors: Floors): string[] {
  const rooms = floors
    .flatMap((names, level) => names.map((name) => ({ name, level })))
    .sort((a, b) => b.name.length - a.name.length)
  const roomOf = (file: string) =>
    rooms.find(({ name }) => file === name || (name.endsWith('/') && file.startsWith(name)))
  const climbs: string[] = []
  for (const [file, targets] of graph) {
    const from = roomOf(file)
    for (const target of targets) {
      const to = roomOf(target)
      if (!from || !to || from.name === to.name || to.level > from.level) continue
      climbs.push(`${file} imports ${target}`)
    }
  }
  return climbs
}
