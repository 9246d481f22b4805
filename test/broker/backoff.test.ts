import { expect } from 'chai'
import { backoff, deathWeight } from '../../broker/backoff.ts'

const killed = { isOutside: true, isOverInput: false, startMs: 400, readyMs: 0 }

describe('The delay before the next child', () => {
  it('is none after the first death, and then doubles up to 30 s', () => {
    expect([0, 1, 2, 3, 4, 100].map(backoff)).to.deep.equal([0, 0, 50, 100, 200, 30_000])
  })

  it('does not grow by kills from outside, as long as each child serves for longer than it started', () => {
    expect(deathWeight({ ...killed, readyMs: 400 })).to.equal(0)
  })

  it('grows by a tenth by a kill of a child that has hardly served, or still started', () => {
    expect(deathWeight({ ...killed, readyMs: 399 })).to.equal(0.1)
    expect(deathWeight({ ...killed, startMs: undefined })).to.equal(0.1)
  })

  it('grows by a tenth by a death over an input that cost too much, and by one by any other death', () => {
    const crashed = { ...killed, isOutside: false, readyMs: 400 }
    expect(deathWeight({ ...crashed, isOverInput: true })).to.equal(0.1)
    expect(deathWeight(crashed)).to.equal(1)
  })
})
