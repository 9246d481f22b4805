import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { findAndFetch } from '../../../pipeline/found-model.ts'
import { openModel } from '../../../pipeline/weights/open-model.ts'
import { compareWithKeras } from '../../support/compare-classes.ts'
import { golden } from '../../support/golden.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

/** One model of each kind, and each form of a file once. The slow tests compare all models in all forms. */
const FEW = [
  ['activations', 'keras3.keras'],
  ['channels-first', 'keras3.keras'],
  ['convolutions', 'keras3.keras'],
  ['head-two-outputs', 'keras3.keras'],
  ['keras2-meanings', 'keras2.h5'],
  ['mixed-float16', 'keras3.keras'],
  ['operations', 'keras3.keras'],
  ['spectral-normalization', 'keras3.h5'],
  ['teachable-machine', 'tfjs'],
  ['vit', 'keras3.keras'],
] as const

/* Models made with Keras that go through the layer classes and their options, branch by branch. */
describe('the golden models of all layer classes', () => {
  for (const [model, form] of FEW) {
    it(`gives the numbers of Keras: ${model}, ${form}`, () => compareWithKeras(model, form))
  }
})

describe('a model with several outputs', () => {
  const path = golden('classes', 'head-two-outputs', 'keras3.keras')

  it('has the output that is asked for, by name or by place', async () => {
    for (const head of ['real', 1]) {
      const { layers, close } = await openModel(path, { head })
      await close()
      expect(layers?.output).to.equal('real')
    }
  })

  it('has the output that the setting head names', async () => {
    const weightsDir = temporaryFolder()
    const model = join(weightsDir, 'pets.keras')
    copyFileSync(path, model)
    writeFileSync(join(weightsDir, 'pets.json'), JSON.stringify({ head: 'real' }))
    const found = await findAndFetch({ model: 'pets', path: model, weightsDir }, () => undefined)
    const { layers, close } = await found.open()
    await close()
    expect(layers.output).to.equal('real')
  })

  it('refuses an output that it does not have, and names those that it has', async () => {
    for (const head of ['none', 2]) {
      const error = await openModel(path, { head }).catch((reason: unknown) => reason)
      expect(error).to.include({ code: 'ERR_MODEL_SETTINGS' })
      expect((error as Error).message).to.match(/"head" may be 0 or "kind", 1 or "real"/)
    }
  })
})
