import { expect } from 'chai'
import { fuzz } from '../../../scripts/fuzz/fuzz.ts'
import { openExaminer } from '../../../scripts/fuzz/kinds/examine-images.ts'
import { IMAGE_BOUNDS, IMAGE_FORMATS, imageSeeds } from '../../../scripts/fuzz/kinds/images.ts'
import { shortPlan, targetHere } from '../../support/fuzz.ts'

describe('Fuzzed images', () => {
  it('end in pixels or in an error with a code, within bounds of time and memory', async () => {
    const seeds = await imageSeeds()
    const target = targetHere(await openExaminer(), IMAGE_BOUNDS)
    const parts = { target, seeds, kind: 'images', formats: IMAGE_FORMATS }
    const { crashers, outcomes, inputs } = await fuzz({ ...shortPlan(), ...parts, maxInputs: Infinity })
    expect([...crashers]).to.deep.equal([])
    // Without inputs of all kinds, this would not test much.
    expect(inputs).to.be.above(64)
    const all = [...outcomes.keys()].join('\n')
    for (const part of [
      'read',
      'ERR_IMAGE_DECODE',
      'png:',
      'jpg:',
      'webp:',
      'gif:',
      'bmp:',
      'tiff:',
      'avif:',
    ])
      expect(all).to.include(part)
  }).timeout(120_000)
})
