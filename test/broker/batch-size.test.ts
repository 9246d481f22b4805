import { expect } from 'chai'
import { batchSize, readTimes } from '../../broker/child/batch-size.ts'

const LONG = 10_000
const times = (...list: [number, number][]) => list.map(([size, ms]) => ({ size, ms }))

describe('The size of a batch', () => {
  it('is the number of waiting inputs without measurements', () => {
    for (const waiting of [0, 1, 5, 8]) expect(batchSize(waiting, [], LONG)).to.equal(waiting)
  })

  it('is the one with the highest rate', () => {
    const measured = times([1, 100], [2, 150], [4, 350], [8, 800])
    expect([1, 2, 3, 4, 8].map((waiting) => batchSize(waiting, measured, LONG))).to.deep.equal([
      1, 2, 2, 2, 2,
    ])
    const growing = times([1, 100], [2, 150], [4, 200], [8, 300])
    expect([1, 2, 3, 4, 7, 8].map((waiting) => batchSize(waiting, growing, LONG))).to.deep.equal([
      1, 2, 3, 4, 7, 8,
    ])
  })

  it('is small where a large batch gains next to nothing', () => {
    expect(batchSize(8, times([1, 100], [8, 802]), LONG)).to.equal(1)
    expect(batchSize(8, times([1, 100], [8, 700]), LONG)).to.be.above(3)
  })

  it('is large where single images take little more than what lies between two batches', () => {
    expect(batchSize(8, times([1, 4.2], [2, 8.3], [4, 16.3], [8, 32.6]), LONG)).to.be.above(4)
  })

  it('is bounded by the time that a batch may take, and is never zero', () => {
    const growing = times([1, 100], [2, 150], [4, 200], [8, 300])
    expect(batchSize(8, growing, 200)).to.equal(4)
    expect(batchSize(8, growing, 299)).to.equal(7)
    expect(batchSize(8, growing, 1)).to.equal(1)
  })

  it('beyond the measured sizes is judged by the largest of them', () => {
    expect(batchSize(16, times([1, 100], [2, 150]), LONG)).to.equal(2)
    expect(batchSize(16, times([1, 100], [2, 150]), 600)).to.equal(2)
  })

  it('ignores measurements that are nonsense', () => {
    for (const nonsense of [
      undefined,
      'no',
      [null],
      [{ size: 1 }],
      [{ size: 1.5, ms: 3 }],
      [{ size: 2, ms: 0 }],
    ])
      expect(readTimes(nonsense)).to.deep.equal([])
    expect(readTimes(times([2, 3], [1, 2]))).to.deep.equal(times([1, 2], [2, 3]))
  })
})
