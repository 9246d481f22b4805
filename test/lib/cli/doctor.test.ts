import { expect } from 'chai'
import { nodeVersion, processor, weightsOf } from '../../../lib/cli/doctor.ts'

describe('tandem doctor', () => {
  it('knows the versions of Node that are too old', () => {
    for (const old of ['18.20.0', '20.18.3']) expect(nodeVersion(old).state, old).to.equal('bad')
    for (const enough of ['20.19.0', '22.0.0', '24.1.0'])
      expect(nodeVersion(enough).state, enough).to.equal('good')
  })

  it('names the features of the processor', function () {
    if (process.arch !== 'x64') this.skip()
    expect(processor(new Set(['sse2', 'avx2', 'avx512f', 'avx512_vnni'])).text).to.match(
      / with AVX2, AVX-512, VNNI$/,
    )
    expect(processor(new Set(['sse2']))).to.include({ state: 'note' })
  })

  it('judges weights by their size alone', () => {
    const one = { name: 'vgg16', path: '/w', bytes: 100, have: 100 }
    expect(weightsOf({ ...one, state: 'here' }).state).to.equal('good')
    expect(weightsOf({ ...one, state: 'here', have: 99 }).state).to.equal('bad')
    expect(weightsOf({ ...one, state: 'part', have: 40 }).text).to.contain('40 B of the download are there')
    expect(weightsOf({ ...one, state: 'here', bytes: null }).state).to.equal('good')
    expect(weightsOf({ ...one, state: 'absent', have: 0 })).to.include({ state: 'note' })
    expect(weightsOf({ ...one, state: 'absent', have: 0, note: 'no file' })).to.include({
      state: 'bad',
      text: 'no file',
    })
  })
})
