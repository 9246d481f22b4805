import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Spec files that run one after the other in one process, and share its services and its browser. */
export interface Part {
  readonly name: string
  readonly files: readonly string[]
  /** Its tests take the time to within less than what another part beside it would cost. */
  readonly alone: boolean
}

const SPEC = '.test.ts'

/** Spec files that are a part of their own, which runs alone. */
const ALONE = ['broker/batches', 'broker/child-death', 'broker/misbehaviour', 'lib/process/start']

/** Folders whose tests are better off in one process: few and quick, or with the same services. */
const TOGETHER: Readonly<Record<string, readonly string[]>> = {
  quick: ['.', 'e2e', 'lib/config', 'lib/image', 'lib/feedback', 'pipeline', 'pipeline/models'],
}

/** What takes longest begins first: nothing else could run beside the end of it. */
const LONGEST_FIRST = ['survival', 'broker', 'lib/pages', 'pipeline/weights']

/** Every spec file below the folder, in exactly one part. A new folder is a new part. */
export function partsIn(folder: string): Part[] {
  const parts = new Map<string, string[]>(['alone', ...LONGEST_FIRST].map((name) => [name, []]))
  for (const file of specsIn(folder)) {
    const name = partOf(file)
    parts.set(name, [...(parts.get(name) ?? []), join(folder, file)])
  }
  return [...parts]
    .filter(([, files]) => files.length > 0)
    .map(([name, files]) => ({ name, files, alone: name === 'alone' }))
}

function partOf(file: string): string {
  if (ALONE.includes(file.slice(0, -SPEC.length))) return 'alone'
  const directory = file.split('/').slice(0, -1).join('/') || '.'
  return Object.keys(TOGETHER).find((name) => TOGETHER[name]?.includes(directory)) ?? directory
}

function specsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith(SPEC))
    .sort()
}
