import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { golden } from '../../support/golden.ts'
import { programArgs } from '../../support/program.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const MAX_PEAK_BYTES = 1.2e9

/** On a busy machine, the garbage collector may free an array of 411 MB later than the next one needs its memory. */
const RUNS = 3

describe('memory while VGG-16 is read', function () {
  this.timeout(120_000)
  const folder = temporaryFolder()
  const path = join(folder, 'vgg16.h5')

  before(() => run('write-vgg16', golden('applications', 'vgg16.weights.json'), path))
  after(() => rmSync(folder, { recursive: true, force: true }))

  it(`stays below ${MAX_PEAK_BYTES / 1e9} GB, with the numbers of the formula`, async () => {
    const peaks: number[] = []
    for (let run = 0; run < RUNS && !peaks.some((peak) => peak < MAX_PEAK_BYTES); run++)
      peaks.push(await peakOfRead())
    expect(Math.min(...peaks)).to.be.below(MAX_PEAK_BYTES)
  })

  async function peakOfRead(): Promise<number> {
    const { peak, arrays, last } = JSON.parse(await run('read-vgg16', path))
    expect(arrays).to.equal(32)
    // The last element of fc1, the largest array.
    expect(last).to.equal(Math.fround(-0.0026180502))
    return peak
  }
})

async function run(name: string, ...args: string[]): Promise<string> {
  const program = programArgs(`test/fixtures/weights/${name}.ts`)
  const { stdout } = await promisify(execFile)(process.execPath, [...program, ...args])
  return stdout
}
