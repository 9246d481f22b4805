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
})
