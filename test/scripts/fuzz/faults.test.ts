import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { ChildTarget } from '../../../scripts/fuzz/child-target.ts'
import { png as pngFormat } from '../../../scripts/fuzz/formats/png.ts'
import { fuzz, type Plan } from '../../../scripts/fuzz/fuzz.ts'
import type { Bounds, Examiner } from '../../../scripts/fuzz/target.ts'
import { openExaminer } from '../../fixtures/fuzz/faulty-reader.ts'
import { shortPlan, targetHere } from '../../support/fuzz.ts'
import { png } from '../../support/image-files.ts'

const BOUNDS: Bounds = { cpuMs: 60_000, memoryBytes: 2 ** 40, hangMs: 60_000 }
const SOUND = png({ width: 2, height: 1, bits: 8, colour: 0, rows: [Buffer.of(1, 2)] })

describe('A fault in a reader', () => {
  const plan = (change: Partial<Plan> = {}): Plan => ({
    ...shortPlan(),
    ...{ kind: 'images', formats: [pngFormat], seeds: [SOUND], maxInputs: 500 },
    target: targetHere(faulty, BOUNDS),
    ...change,
  })
  let faulty: Examiner
  before(async () => {
    faulty = await openExaminer()
  })

  it('is found, minimised and saved with a line that shows it again', async () => {
    const crasherFolder = plan().crashers
    const { crashers, faults } = await fuzz(plan({ crashers: crasherFolder, extension: () => '.png' }))
    expect(faults).to.be.above(1)
    const [[cause = '', line = ''] = []] = [...crashers].filter(([cause]) => cause.includes('TypeError'))
    expect(cause).to.match(/^error: TypeError in .*examine.*# bits cannot be read/)
    const file = readdirSync(crasherFolder).find((name) => name.endsWith('.png') && line.includes(name)) ?? ''
    expect(line).to.match(/^npm run fuzz -- images --file \S+\.png$/)
    const input = readFileSync(join(crasherFolder, file))
    // The reader looks at byte 24, so nothing shorter can fail, and no other byte matters.
    expect(input).to.have.length(25)
    expect(input.subarray(0, 24).every((byte) => byte === 0)).to.equal(true)
    const text = readFileSync(join(crasherFolder, `${file}.txt`), 'utf8')
    expect(text).to.include(line).and.to.include('faulty-reader.ts').and.to.include('with seed 2026')
    const [again] = await targetHere(faulty, BOUNDS).examine([input])
    expect(again?.fault?.cause).to.equal(cause)
  })

  it('is not found in a sound file', async () => {
    const { crashers, outcomes } = await fuzz(plan({ maxInputs: 1 }))
    expect([crashers.size, [...outcomes]]).to.deep.equal([0, [['8 bits', 1]]])
  })

  it('is a fault, too, if it costs too much time or memory', async () => {
    const slow = { examine: async () => `${Array.from({ length: 200_000 }, (_, i) => i).sort().length}` }
    const [tooSlow] = await targetHere(slow, { ...BOUNDS, cpuMs: 0.001 }).examine([SOUND])
    expect(tooSlow?.fault?.kind).to.equal('slow')
    const large = { examine: async () => `${Buffer.alloc(64 * 2 ** 20, 1).length}` }
    const [tooLarge] = await targetHere(large, { ...BOUNDS, memoryBytes: 2 ** 20 }).examine([SOUND])
    expect(tooLarge?.fault?.kind).to.equal('memory')
  })

  it('that ends the process, or hangs, is the fault of its own input alone', async () => {
    const module = new URL('../../fixtures/fuzz/faulty-reader.ts', import.meta.url)
    const target = new ChildTarget(module, { ...BOUNDS, hangMs: 4000 }, false)
    const words = ['abort', 'hang', 'leave'].map((word) => Buffer.concat([SOUND, Buffer.from(word)]))
    const results = await target.examine([SOUND, ...words, SOUND])
    await target.close()
    expect(results.map(({ fault, outcome }) => fault?.cause ?? outcome)).to.deep.equal([
      '8 bits',
      'death: SIGABRT',
      'hang',
      'death: exit code 7',
      '8 bits',
    ])
  }).timeout(60_000)
})
