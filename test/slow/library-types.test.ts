import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { temporaryFolder } from '../support/temporary-folder.ts'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const SNAPSHOT = join(ROOT, 'test/golden/public-types.txt')
/** The files of the package's exports, and those that have their types. */
const PUBLIC = [
  'lib/library/create-tandem',
  'lib/library/library-config',
  'lib/library/tandem',
  'lib/library/mounted',
  'lib/library/read-picture',
  'client/client',
  'pipeline/parts',
  'broker/broker',
  'broker/calls',
  'broker/options',
  'broker/pipeline',
  'fleet/fleet',
]

describe('The public types', function () {
  this.timeout(120_000)

  it('are those of the snapshot: a change is made on purpose, with a line in the CHANGELOG', async () => {
    const folder = temporaryFolder()
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    const flags = ['--emitDeclarationOnly', '--outDir', folder]
    await run(process.execPath, [tsc, '-p', 'tsconfig.build.json', ...flags], { cwd: ROOT })
    const parts = PUBLIC.map(
      (name) => `// ${name}\n${withoutComments(readFileSync(join(folder, `${name}.d.ts`), 'utf8'))}`,
    )
    const found = parts.join('\n')
    // UPDATE_TYPES=1 npx mocha test/slow/library-types.test.ts writes a new snapshot.
    if (process.env.UPDATE_TYPES === '1') writeFileSync(SNAPSHOT, found)
    expect(found).to.equal(readFileSync(SNAPSHOT, 'utf8'))
  })
})

function withoutComments(text: string): string {
  return `${text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.includes('//#'))
    .join('\n')}\n`
}
