import { expect } from 'chai'
import { inspectionText } from '../../../lib/cli/inspection-text.ts'

describe('the text of an inspection', () => {
  it('shows as many operators as a file may have', () => {
    const layers = Array.from({ length: 200_000 }, (_, i) => ({
      name: `node ${i}`,
      className: 'Relu',
      parameters: 0,
    }))
    const refusal = { code: 'ERR_MODEL_UNSUPPORTED', message: 'It is too large.' }
    const text = inspectionText('deep', {
      path: 'deep.onnx',
      layers,
      parameters: 0,
      refusal,
      served: undefined,
    })
    expect(text).to.contain('200000 layers, 0 parameters\nCannot be served: It is too large.')
    expect(text).to.contain('\n  node 199999  Relu\n')
  })

  it('says what a model is computed with, and why', () => {
    const textOf = (served: unknown) =>
      inspectionText('pets', { path: 'pets.h5', layers: [], parameters: 0, refusal: undefined, served })
    const quantization = 'a sentence'
    expect(textOf({ precision: 'int8', quantization })).to.contain('\nQuantized: a sentence.\n')
    expect(textOf({ precision: 'fp32', quantization })).to.contain('\nPrecision: a sentence.\n')
    expect(textOf({ precision: 'fp32' })).not.to.contain('Precision')
  })

  it('has no table without layers, as of a file with weights alone', () => {
    const refusal = { code: 'ERR_MODEL_LOAD', message: 'It holds only weights.' }
    const text = inspectionText('pets', {
      path: 'pets.h5',
      layers: [],
      parameters: 0,
      refusal,
      served: undefined,
    })
    expect(text).to.equal('pets: pets.h5\n\nCannot be served: It holds only weights. (ERR_MODEL_LOAD)\n')
  })
})
