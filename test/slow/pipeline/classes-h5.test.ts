import { existsSync, readdirSync } from 'node:fs'
import { expect } from 'chai'
import { compareWithKeras } from '../../support/compare-classes.ts'
import { golden } from '../../support/golden.ts'

/* The other tests read the same models from .keras files. */
describe('the golden models of all layer classes, in the .h5 form of Keras 3', () => {
  const models = readdirSync(golden('classes')).filter((model) =>
    existsSync(golden('classes', model, 'keras3.h5')),
  )

  it('are 30', () => {
    expect(models).to.have.length(30)
  })

  for (const model of models.sort()) {
    it(`gives the numbers of Keras: ${model}`, () => compareWithKeras(model, 'keras3.h5'))
  }
})
