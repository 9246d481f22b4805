import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Spec files that run one after the other in one process, and share services and a browser. */
export interface Part {
  readonly name: string
  readonly files: readonly string[]
  /** Whether tests measure times so tightly that a part beside them would disturb them. */
  readonly alone: boolean
}

const SPEC = '.test.ts'

/** Spec files that run while no other part runs. */
const ALONE = [
  'broker/batches',
  'broker/child-death',
  'broker/limits',
  'broker/misbehaviour',
  'lib/process/start',
]

/** Folders and files that share a process, because they are quick or use the same services. */
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

/** The longest parts start first, so that none of them runs alone at the end. */
const LONGEST_FIRST = [
  'pages of services of their own',
  'lib/pages',
  'survival',
  'broker',
  'pipeline/weights',
]

/** Puts every spec file below the folder into exactly one part. A new folder is a new part. */
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

function specsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith(SPEC))
    .sort()
}
