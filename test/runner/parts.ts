import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Spec files that run one after the other in one process, and share its services and its browser. */
export interface Part {
  readonly name: string
  readonly files: readonly string[]
  /** Set for tests that measure times so precisely that another part must not run beside them. */
  readonly alone: boolean
}

const SPEC = '.test.ts'

/** The spec files of the part that runs alone. */
const ALONE = [
  'broker/batches',
  'broker/child-death',
  'broker/limits',
  'broker/misbehaviour',
  'lib/process/start',
]

/** Folders and files that share a process: they are few and quick, or use the same services. */
const TOGETHER: Readonly<Record<string, readonly string[]>> = {
  quick: [
    'e2e',
    'lib/config',
    'lib/image',
    'lib/feedback',
    'pipeline/models',
    'imports',
    'pipeline/top-indices',
  ],
  'pages of services of their own': [
    'lib/pages/delivery',
    'lib/pages/digits',
    'lib/pages/links',
    'lib/pages/model-states',
    'lib/pages/public-files',
    'lib/pages/status',
  ],
}

/** The longest parts, which begin first: at the end of the run, nothing would be left to run beside them. */
const LONGEST_FIRST = [
  'pages of services of their own',
  'lib/pages',
  'scripts/stress',
  'survival',
  'fleet',
  'broker',
  'pipeline/weights',
]

/** Sorts every spec file below the folder, except the slow ones, into exactly one part. A new folder is a new part. */
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
  const path = file.slice(0, -SPEC.length)
  const directory = path.split('/').slice(0, -1).join('/')
  const isIn = (list: readonly string[] = []) => list.includes(path) || list.includes(directory)
  if (isIn(ALONE)) return 'alone'
  return Object.keys(TOGETHER).find((name) => isIn(TOGETHER[name])) ?? (directory || 'top')
}

/** Tests that take minutes by their nature: `npm run test:slow`. */
const SLOW = 'slow/'

function specsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith(SPEC) && !file.startsWith(SLOW))
    .sort()
}
