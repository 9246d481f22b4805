import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Spec files that run one after the other in one process, and share its services and its browser. */
export interface Part {
  readonly name: string
  readonly files: readonly string[]
  /** Its tests measure time or memory, so that no other such part may run beside it. */
  readonly measures: boolean
}

const SPEC = '.test.ts'

/** Folders whose tests are better off in one process: few and quick, or with the same services. */
const TOGETHER: Readonly<Record<string, readonly string[]>> = {
  quick: ['.', 'e2e', 'lib/config', 'lib/image', 'lib/feedback', 'pipeline', 'pipeline/models'],
}

const MEASURING = ['broker', 'survival']

/** Every spec file below the folder, in exactly one part. A new folder is a new part. */
export function partsIn(folder: string): Part[] {
  const parts = new Map<string, string[]>()
  for (const file of specsIn(folder)) {
    const name = partOf(file.split('/').slice(0, -1).join('/') || '.')
    parts.set(name, [...(parts.get(name) ?? []), join(folder, file)])
  }
  return [...parts].map(([name, files]) => ({ name, files, measures: MEASURING.includes(name) }))
}

function partOf(directory: string): string {
  return Object.keys(TOGETHER).find((name) => TOGETHER[name]?.includes(directory)) ?? directory
}

function specsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith(SPEC))
    .sort()
}
