import { expect } from 'chai'
import { sessionOptions } from '../../../pipeline/engines/onnx/onnx-session-options.ts'

describe('A session of ONNX Runtime', () => {
  it('uses all threads on the CPU, spins only if allowed, and leaves the weights mapped', () => {
    const { executionProviders, intraOpNumThreads, extra } = sessionOptions({
      device: 'cpu',
      threads: 7,
      spin: true,
    })
    expect(executionProviders).to.deep.equal(['cpu'])
    expect(intraOpNumThreads).to.equal(7)
    expect(extra?.session).to.deep.equal({ disable_prepacking: '1', intra_op: { allow_spinning: '1' } })
    expect(sessionOptions({ device: 'cpu', threads: 7, spin: false }).extra?.session).to.deep.include({
      intra_op: { allow_spinning: '0' },
    })
  })

  for (const device of ['webgpu', 'cuda'] as const) {
    it(`uses one thread that does not spin on ${device}, and packs the weights once`, () => {
      const { executionProviders, intraOpNumThreads, extra } = sessionOptions({
        device,
        threads: 7,
        spin: true,
      })
      expect(executionProviders).to.deep.equal([device, 'cpu'])
      expect(intraOpNumThreads).to.equal(1)
      expect(extra?.session).to.deep.equal({ disable_prepacking: '0', intra_op: { allow_spinning: '0' } })
    })
  }
})
