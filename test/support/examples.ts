import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface Example {
  /** the lines of a block of shell */
  readonly commands: readonly string[]
  /** what the last of them is said to answer, when JSON stands below */
  readonly answer: unknown
}

const ORIGIN = 'http://127.0.0.1:2017'

/** The blocks ```sh of a document, each with the block ```json that follows it, if one does. */
export function examplesIn(file: string, origin: string): Example[] {
  const text = readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8')
  const blocks = text.matchAll(/^```sh\n(.*?)^```\n(?:[^`]*?\n)??(?:\n?```json\n(.*?)^```)?/gms)
  return [...blocks].map(([, shell = '', json]) => ({
    commands: shell
      .replaceAll(ORIGIN, origin)
      .split('\n')
      .map((line) => line.replace(/\s+# .*$/, '').trim())
      .filter((line) => line !== ''),
    answer: json === undefined ? undefined : JSON.parse(json),
  }))
}

/** What a value is made of: its keys and types, of a list those of its first entry. */
export function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])]
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, shapeOf(part)]))
}
