import { copyFileSync, existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { findAndFetch } from '../../../pipeline/found-model.ts'
import { openModel } from '../../../pipeline/weights/open-model.ts'
import { compareWithKeras } from '../../support/compare-classes.ts'
import { golden } from '../../support/golden.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

/** The forms of a golden model; its keras3.h5 is compared by the slow tests, but for layers made of other layers. */
const FORMS = ['keras3.keras', 'keras2.h5', 'tfjs', 'keras/keras_model.h5']
const ALSO_H5: ReadonlySet<string> = new Set(['convolutions-1d', 'spectral-normalization', 'vit-pooled'])

/* Models made with Keras that go through the layer classes and their options, branch by branch. */
describe('the golden models of all layer classes', () => {
  const models = readdirSync(golden('classes')).sort()

  it('are 42', () => {
    expect(models).to.have.length(42)
  })

  for (const model of models) {
    const forms = ALSO_H5.has(model) ? [...FORMS, 'keras3.h5'] : FORMS
    for (const form of forms.filter((name) => existsSync(golden('classes', model, name)))) {
      it(`gives the numbers of Keras: ${model}, ${form}`, () => compareWithKeras(model, form))
    }
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
