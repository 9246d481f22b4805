import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { sourcesIn } from './support/import-graph.ts'

const ROOT = fileURLToPath(new URL('../', import.meta.url))

// The commands in lib/cli run with tsx.
const served = () =>
  ['StartService.ts', ...sourcesIn('lib', 'broker', 'fleet', 'pipeline')].filter(
    (file) => !file.startsWith('lib/cli/'),
  )

describe('the sources of the service', () => {
  // Node 22 removes types, and nothing else. tsconfig.json has erasableSyntaxOnly for the rest.
  it('have no "using", which Node 22 cannot run without tsx', () => {
    expect(served().length).to.be.greaterThan(100)
    const using = /^\s*(await )?using \w+ = /m
    expect(using.test('  await using a = b()')).to.equal(true)
    expect(served().filter((file) => using.test(readFileSync(join(ROOT, file), 'utf8')))).to.deep.equal([])
  })
})
