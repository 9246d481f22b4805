import { expect } from 'chai'
import { featuresIn, jsonNumbers } from '../../../lib/models/features.ts'

const ofLength = (length: number) => ({ shape: [length], values: new Float32Array(length).fill(0.5) })

describe('features as JSON', () => {
  it('are 100,000 numbers at most: the error for more names the forms that help', () => {
    expect(jsonNumbers(ofLength(100_000))).to.have.length(100_000)
    expect(() => jsonNumbers(ofLength(100_001)))
      .to.throw(/100001 numbers.*application\/octet-stream.*pool=mean/)
      .with.property('code', 'ERR_NOT_ACCEPTABLE')
  })
})

describe('features in the answer of a pipeline', () => {
  it('are as many numbers as their shape says, as a list or in bytes', () => {
    const bytes = new Uint8Array(Float32Array.of(1, 2).buffer)
    for (const values of [[1, 2], bytes]) {
      expect([...(featuresIn({ shape: [2], values })?.values ?? [])]).to.deep.equal([1, 2])
      expect(featuresIn({ shape: [3], values })).to.equal(undefined)
    }
    expect(featuresIn({ shape: [2], values: [1, 'two'] })).to.equal(undefined)
  })
})
