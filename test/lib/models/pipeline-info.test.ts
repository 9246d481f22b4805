import { expect } from 'chai'
import { readPipelineInfo } from '../../../lib/models/pipeline-info.ts'

describe('what a pipeline tells of itself', () => {
  it('is left out where it is not what clients are promised', () => {
    const output = { kind: 'classes', shape: [0.5], inside: 'none', knownBy: 'luck', applied: 'none' }
    const info = readPipelineInfo({
      info: {
        labels: 1.5,
        top: Number.NaN,
        input: { width: Number.POSITIVE_INFINITY, height: 7 },
        output,
        warnings: 'none',
      },
    })
    expect(info).to.deep.include({ classes: null, usual: null, input: null, output: null, warnings: [] })
    const { input } = readPipelineInfo({ info: { input: { width: 8, height: 7, channels: -3 } } })
    expect(input).to.deep.equal({ width: 8, height: 7, channels: null, preprocessing: null })
  })
})
