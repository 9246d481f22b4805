import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { createRecentPredictions } from '../../../lib/models/recent-predictions.ts'

const FACTS = {
  sha256: 'ab'.repeat(32),
  model: 'resnet50',
  version: '1',
  prediction: 'tiger_cat',
  score: 0.5,
}

describe('recent predictions', () => {
  it('are found under the id of their request', () => {
    const recent = createRecentPredictions()
    recent.remember('one', FACTS)
    expect(recent.recall('one')).to.deep.equal(FACTS)
    expect(recent.recall('two')).to.equal(undefined)
    expect(recent.recall('__proto__')).to.equal(undefined)
  })

  it('are ten thousand at most: the oldest are removed', () => {
    const recent = createRecentPredictions()
    for (let i = 0; i <= 10_000; i++) recent.remember(String(i), FACTS)
    expect(recent.recall('0')).to.equal(undefined)
    for (const id of ['1', '10000']) expect(recent.recall(id)).to.deep.equal(FACTS)
  })

  it('are forgotten after their time', async () => {
    const recent = createRecentPredictions(30)
    recent.remember('one', FACTS)
    await delay(60)
    expect(recent.recall('one')).to.equal(undefined)
  })
})
