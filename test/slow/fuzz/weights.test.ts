import { expect } from 'chai'
import { hdf5 } from '../../../scripts/fuzz/formats/hdf5.ts'
import { fuzz } from '../../../scripts/fuzz/fuzz.ts'
import { openExaminer } from '../../../scripts/fuzz/kinds/examine-weights.ts'
import { WEIGHTS_BOUNDS, WEIGHTS_FORMATS, weightsSeeds } from '../../../scripts/fuzz/kinds/weights.ts'
import { shortPlan, targetHere } from '../../support/fuzz.ts'

/** Each file that is read as HDF5 starts a thread. On a slow machine, not all of them have their turn. */
const FIRST = 2

describe('Fuzzed weights', () => {
  it('end in a compiled model or in an error with a code, within bounds of time and memory', async () => {
    const all = await weightsSeeds()
    const slow = all.filter((file) => hdf5.matches(file))
    const others = all.filter((file) => !hdf5.matches(file))
    const seeds = [...slow.slice(0, FIRST), ...others, ...slow.slice(FIRST)]
    const target = targetHere(await openExaminer(), WEIGHTS_BOUNDS)
    const parts = {
      target,
      seeds,
      kind: 'weights',
      formats: WEIGHTS_FORMATS,
    }
    const { crashers, outcomes } = await fuzz({ ...shortPlan(), ...parts, maxInputs: Infinity })
    await target.close()
    expect([...crashers]).to.deep.equal([])
    const texts = [...outcomes.keys()].join('\n')
    for (const part of [
      'tfjs: compiled',
      'keras-h5: compiled',
      'keras-zip: compiled',
      'onnx: ',
      'ERR_MODEL_LOAD',
    ])
      expect(texts).to.include(part)
  }).timeout(120_000)
})
