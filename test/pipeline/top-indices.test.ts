import { expect } from 'chai'
import { topIndices } from '../../pipeline/top-indices.ts'

describe('topIndices', () => {
  it('gives the largest first, and breaks ties by the lower index', () => {
    expect(topIndices(Float32Array.of(0.1, 0.5, 0.2, 0.5, 0.05), 3)).to.deep.equal([1, 3, 2])
  })

  it('gives all if there are fewer than wanted', () => {
    expect(topIndices(Float32Array.of(0, 1), 5)).to.deep.equal([1, 0])
  })

  it('agrees with sorting on many values', () => {
    const values = Float32Array.from({ length: 1000 }, (_, i) => (Math.sin(i * 12.9898) * 43758.5453) % 1)
    const sorted = [...values.keys()].sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b)
    expect(topIndices(values, 20)).to.deep.equal(sorted.slice(0, 20))
  })
})
