import { expect } from 'chai'
import { hdf5 } from '../../../scripts/fuzz/formats/hdf5.ts'
import { zip } from '../../../scripts/fuzz/formats/zip.ts'
import { fuzz } from '../../../scripts/fuzz/fuzz.ts'
import { openExaminer } from '../../../scripts/fuzz/kinds/examine-weights.ts'
import { WEIGHTS_BOUNDS, WEIGHTS_FORMATS, weightsSeeds } from '../../../scripts/fuzz/kinds/weights.ts'
import { shortPlan, targetHere } from '../../support/fuzz.ts'

/** Each file that is read as HDF5 starts a thread, so most of the inputs are of other formats. */
const HDF5_SEEDS = 2
const MUTANTS = 60

describe('Fuzzed weights', () => {
  it('end in a compiled model or in an error with a code, within bounds of time and memory', async () => {
    const all = await weightsSeeds()
    const others = all.filter((file) => !hdf5.matches(file) && !zip.matches(file))
    const one = all.filter((file) => zip.matches(file)).slice(0, 1)
    const seeds = [...all.filter((file) => hdf5.matches(file)).slice(0, HDF5_SEEDS), ...one, ...others]
    const target = targetHere(await openExaminer(), WEIGHTS_BOUNDS)
    const parts = {
      target,
      seeds,
      kind: 'weights',
      formats: WEIGHTS_FORMATS,
      maxInputs: seeds.length + MUTANTS,
    }
    const { crashers, outcomes } = await fuzz({ ...shortPlan(), ...parts })
    await target.close()
    expect([...crashers]).to.deep.equal([])
    const texts = [...outcomes.keys()].join('\n')
    for (const part of [
      'tfjs: compiled',
      'keras-h5: compiled',
      'keras-zip: compiled',
      'onnx: recognised',
      'ERR_MODEL_LOAD',
    ])
      expect(texts).to.include(part)
  }).timeout(120_000)
})
