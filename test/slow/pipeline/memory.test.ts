import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { golden } from '../../support/golden.ts'
import { programArgs } from '../../support/program.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const MAX_PEAK_BYTES = 1.2e9

describe('memory while VGG-16 is read', function () {
  this.timeout(120_000)
  const folder = temporaryFolder()
  const path = join(folder, 'vgg16.h5')

  before(() => run('write-vgg16', golden('applications', 'vgg16.weights.json'), path))
  after(() => rmSync(folder, { recursive: true, force: true }))

  it(`stays below ${MAX_PEAK_BYTES / 1e9} GB, with the numbers of the formula`, async () => {
    const { peak, arrays, last, ms } = JSON.parse(await run('read-vgg16', path))
    expect(arrays).to.equal(32)
    // The last element of fc1, the largest array.
    expect(last).to.equal(Math.fround(-0.0026180502))
    expect(peak, `after ${ms} ms`).to.be.below(MAX_PEAK_BYTES)
  })
})

async function run(name: string, ...args: string[]): Promise<string> {
  const program = programArgs(`test/fixtures/weights/${name}.ts`)
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', ...program, ...args])
  return stdout
}
