import { expect } from 'chai'
import { probeOnnx } from '../../../pipeline/engines/onnx/probe-onnx.ts'
import { errorOf, until } from '../../support/broker.ts'
import { bytesOf, relativeError, withCompiled, withEngine } from '../../support/compiled.ts'
import { anyWeights, smallNetwork } from '../../support/small-network.ts'
import { tinyInput } from '../../support/synthetic.ts'

const NETWORK = smallNetwork([6], [['Dense', { units: 4, activation: 'softmax' }]])

describe('The probe of a device', () => {
  it('returns the numbers and the time measured in a process of its own', async () => {
    await withCompiled(NETWORK, anyWeights(NETWORK), {}, async (modelPath) => {
      const pixels = bytesOf(tinyInput(12))
      const expected = await withEngine(modelPath, (engine) => engine.run(pixels, 2))
      const { output, ms } = await probeOnnx({ modelPath, threads: 1, spin: false }, 2)('cpu', pixels)
      expect(relativeError(output, expected)).to.be.below(1e-6)
      expect(ms).to.be.within(0.001, 100)
    })
  })

  it('rejects with the reason when the model cannot be opened', async () => {
    const model = { modelPath: '/no/such/model.onnx', threads: 1, spin: false }
    const error = await errorOf(probeOnnx(model, 1)('cpu', new Uint8Array()))
    expect(error.message).to.include('/no/such/model.onnx')
  })

  it('rejects at the time limit, and kills the process that did not answer', async () => {
    const children = () => process.getActiveResourcesInfo().filter((name) => name === 'ProcessWrap').length
    const before = children()
    const model = { modelPath: '/no/such/model.onnx', threads: 1, spin: false }
    const error = await errorOf(probeOnnx(model, 1, 5)('cpu', new Uint8Array()))
    expect(error.message).to.equal('it did not answer within 0.005 s')
    // Processes of earlier tests may end meanwhile.
    await until(() => children() <= before, 2_000, 'the process is gone')
  })
})
