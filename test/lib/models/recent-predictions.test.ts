import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { createRecentPredictions } from '../../../lib/models/recent-predictions.ts'
import { writeReportId } from '../../../lib/models/report-id.ts'

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
    expect(recent.recall('one')).to.deep.equal({ requestId: 'one', ...FACTS })
    expect(recent.recall('two')).to.equal(undefined)
    expect(recent.recall('__proto__')).to.equal(undefined)
  })

  it('are ten thousand at most: the oldest are removed', () => {
    const recent = createRecentPredictions()
    for (let i = 0; i <= 10_000; i++) recent.remember(String(i), FACTS)
    expect(recent.recall('0')).to.equal(undefined)
    for (const id of ['1', '10000']) expect(recent.recall(id)).to.deep.equal({ requestId: id, ...FACTS })
  })

  it('are forgotten after their time', async () => {
    const recent = createRecentPredictions({ ttlMs: 30 })
    recent.remember('one', FACTS)
    await delay(60)
    expect(recent.recall('one')).to.equal(undefined)
  })

  describe('with signing keys', () => {
    const KEYS = ['first-key-of-the-hosts', 'second-key-of-the-hosts']
    const signed = (keys: string[]) =>
      createRecentPredictions({ signingKeys: keys }).remember('one', { ...FACTS, prediction: 'é. "' })

    it('are known to every process with one of the keys, by an id that holds them', () => {
      const id = signed(KEYS)
      expect(id).to.match(/^[\w-]+\.[\w-]{43}$/)
      for (const keys of [KEYS, KEYS.slice(0, 1), ['a-newer-key-of-hosts', ...KEYS]]) {
        const recalled = createRecentPredictions({ signingKeys: keys }).recall(id)
        expect(recalled).to.deep.equal({ requestId: 'one', ...FACTS, prediction: 'é. "' })
      }
    })

    it('are not known by an id with another key, or that is changed, too old, or no id at all', () => {
      const recent = createRecentPredictions({ signingKeys: KEYS })
      const id = signed(KEYS)
      const [facts = '', signature = ''] = id.split('.')
      const forged = Buffer.from(facts, 'base64url').toString().replace('resnet50', 'resnet51')
      const wrong = [
        signed(['another-key-of-hosts']),
        writeReportId({ requestId: 'one', ...FACTS }, KEYS[0] ?? '', Date.now() - 1),
        `${Buffer.from(forged).toString('base64url')}.${signature}`,
        `${id}.${signature}`,
        `.${signature}`,
        facts,
        '.',
        'x'.repeat(10_000),
      ]
      expect(wrong.map((text) => recent.recall(text))).to.deep.equal(wrong.map(() => undefined))
    })
  })
})
