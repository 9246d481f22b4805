import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface Example {
  /** the lines of a block of shell */
  readonly commands: readonly string[]
  /** the JSON below the block, which is the documented answer to the last line */
  readonly answer: unknown
}

const ORIGIN = 'http://127.0.0.1:2017'

/** The ```sh blocks of a document, each with the ```json block that follows, if there is one. */
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

/** The shape of a value: keys and types; for a list, the shape of the first entry. */
export function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])]
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, shapeOf(part)]))
}
