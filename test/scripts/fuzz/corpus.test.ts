import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { Corpus } from '../../../scripts/fuzz/corpus.ts'
import { json } from '../../../scripts/fuzz/formats/json.ts'
import { fuzz } from '../../../scripts/fuzz/fuzz.ts'
import { shortPlan } from '../../support/fuzz.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

describe('The corpus', () => {
  it('keeps inputs with a new outcome for the next run', async () => {
    const folder = join(temporaryFolder(), 'corpus')
    const target = {
      examine: async (inputs: readonly Buffer[]) =>
        inputs.map((input) => ({ outcome: `${input.includes('null')}`, ms: 0, peakBytes: 0 })),
      close: async () => undefined,
    }
    const parts = {
      target,
      seeds: [Buffer.from('{"a":1,"b":[2]}')],
      kind: 'weights',
      formats: [json],
      maxInputs: 300,
    }
    const { pool } = await fuzz({ ...shortPlan(), ...parts, corpus: new Corpus(folder) })
    const kept = new Corpus(folder).inputs()
    expect([pool, kept.length, readdirSync(folder).length]).to.deep.equal([2, 1, 1])
    expect(kept[0]?.includes('null')).to.equal(true)
  })

  it('is full with so many files, or bytes, and takes none twice', () => {
    const corpus = new Corpus(temporaryFolder(), { files: 3, bytes: 10 })
    for (const text of ['abc', 'abc', 'def', 'too long']) corpus.add(Buffer.from(text), '.txt')
    expect(corpus.inputs().map(String).sort()).to.deep.equal(['abc', 'def'])
    for (const text of ['g', 'h']) corpus.add(Buffer.from(text), '.txt')
    expect(corpus.size).to.equal(3)
  })

  it('is not all that new inputs are made from, if the pool is full', async () => {
    const target = {
      examine: async (inputs: readonly Buffer[]) =>
        inputs.map((input) => ({ outcome: input.toString('hex'), ms: 0, peakBytes: 0 })),
      close: async () => undefined,
    }
    const corpus = new Corpus(temporaryFolder())
    const parts = {
      target,
      seeds: [Buffer.from('{"a":1}')],
      kind: 'weights',
      formats: [json],
      maxInputs: 100,
      maxPool: 5,
    }
    expect(await fuzz({ ...shortPlan(), ...parts, corpus })).to.include({ pool: 5, inputs: 100 })
    expect(corpus.size).to.be.above(5)
  })
})
