import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Spec files that run one after the other in one process, and share its services and its browser. */
export interface Part {
  readonly name: string
  readonly files: readonly string[]
}

const SPEC = '.test.ts'
/** What waits long, floods the service, takes gigabytes, compares every golden model, installs the package, or tests our own commands. */
const SLOW = 'slow/'

/** Folders and files that share a process: they are few and quick, or use the same services. */
const TOGETHER: Readonly<Record<string, readonly string[]>> = {
  'pages of services of their own': [
    'lib/pages/delivery',
    'lib/pages/digits',
    'lib/pages/links',
    'lib/pages/model-states',
    'lib/pages/public-files',
    'lib/pages/status',
  ],
  requests: ['lib/http', 'lib/image', 'lib/middleware', 'lib/routes', 'lib/feedback', 'client', 'e2e'],
  'models and figures': ['lib/cli', 'lib/config', 'lib/models', 'lib/status', 'lib/fetch', 'lib/library'],
  networks: [
    'pipeline/models',
    'pipeline/graph',
    'pipeline/engines',
    'pipeline/top-indices',
    'pipeline/model-part',
  ],
  house: [
    'architecture',
    'deploy',
    'floors',
    'imports',
    'public-types',
    'scripts',
    'scripts/fuzz',
    'scripts/soak',
    'scripts/stress',
    'bench',
  ],
}

/** The longest parts, which begin first: at the end of the run, nothing would be left to run beside them. */
const LONGEST_FIRST = [
  'broker',
  'pages of services of their own',
  'lib/pages',
  'survival',
  'fleet',
  'requests',
  'models and figures',
  'pipeline/weights',
  'networks',
  'lib/process',
  'lib/dialects',
]

/** Sorts every spec file below the folder into exactly one part, without slow ones. A new folder is a new part. */
export function partsIn(folder: string): Part[] {
  const parts = new Map<string, string[]>(LONGEST_FIRST.map((name) => [name, []]))
  for (const file of specsIn(folder)) {
    if (file.startsWith(SLOW)) continue
    const name = partOf(file)
    parts.set(name, [...(parts.get(name) ?? []), join(folder, file)])
  }
  return [...parts].filter(([, files]) => files.length > 0).map(([name, files]) => ({ name, files }))
}

function partOf(file: string): string {
  const path = file.slice(0, -SPEC.length)
  const directory = path.split('/').slice(0, -1).join('/')
  const isIn = (list: readonly string[] = []) => list.includes(path) || list.includes(directory)
  return Object.keys(TOGETHER).find((name) => isIn(TOGETHER[name])) ?? (directory || 'top')
}

function specsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith(SPEC))
    .sort()
}
