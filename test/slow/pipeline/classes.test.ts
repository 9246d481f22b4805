import { existsSync, readdirSync } from 'node:fs'
import { expect } from 'chai'
import { compareWithKeras } from '../../support/compare-classes.ts'
import { golden } from '../../support/golden.ts'

const FORMS = ['keras3.keras', 'keras3.h5', 'keras2.h5', 'tfjs', 'keras/keras_model.h5']

/* Models made with Keras that go through the layer classes and their options, branch by branch. */
describe('the golden models of all layer classes, in every form', () => {
  const models = readdirSync(golden('classes')).sort()
  const formsOf = (model: string) => FORMS.filter((form) => existsSync(golden('classes', model, form)))

  it('are 42, and 30 of them have the .h5 form of Keras 3', () => {
    expect(models).to.have.length(42)
    expect(models.filter((model) => formsOf(model).includes('keras3.h5'))).to.have.length(30)
  })

  for (const model of models) {
    for (const form of formsOf(model)) {
      it(`gives the numbers of Keras: ${model}, ${form}`, () => compareWithKeras(model, form))
    }
  }
})
