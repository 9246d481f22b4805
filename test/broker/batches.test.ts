import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { codeOf, errorOf, startBroker, until } from '../support/broker.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const newJournal = () => join(temporaryFolder(), 'journal')
const batchesIn = (journal: string): unknown[][] =>
  readFileSync(journal, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

describe('Batches', () => {
  it('are taken first in, first out, up to maxBatch, and never wait for more', async () => {
    const journal = newJournal()
    const broker = await startBroker('behave', { options: { journal }, maxBatch: 4 })
    const first = broker.call('predict', { value: 0, predictMs: 100 })
    await until(() => broker.stats().inFlight === 1, 10_000, 'the first call is in the child')
    const rest = Array.from({ length: 11 }, (_, i) =>
      broker.call('predict', { value: i + 1, predictMs: 100 }),
    )
    await Promise.all([first, ...rest])
    expect(batchesIn(journal)).to.deep.equal([[0], [1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11]])
  })

  it('have the size with the highest rate, by the times that the pipeline has measured', async () => {
    const journal = newJournal()
    const batchTimes = [
      { size: 4, ms: 90 },
      { size: 1, ms: 30 },
      { size: 2, ms: 40 },
    ]
    const broker = await startBroker('behave', { options: { journal, batchTimes }, maxBatch: 4 })
    const first = broker.call('predict', { value: 0, predictMs: 100 })
    await until(() => broker.stats().inFlight === 1, 10_000, 'the first call is in the child')
    await Promise.all([first, ...[1, 2, 3, 4, 5].map((value) => broker.call('predict', { value }))])
    expect(batchesIn(journal)).to.deep.equal([[0], [1, 2], [3, 4], [5]])
  })

  it('are at most two in a child: one predicts, one is prepared', async () => {
    const broker = await startBroker('behave', { maxBatch: 3 })
    const calls = Array.from({ length: 20 }, (_, value) => broker.call('predict', { value, predictMs: 30 }))
    let most = 0
    broker.on('batch', () => (most = Math.max(most, broker.stats().inFlight)))
    await until(() => broker.stats().inFlight > 0, 10_000, 'calls are in the child')
    most = Math.max(most, broker.stats().inFlight)
    expect(most).to.equal(6)
    await Promise.all(calls)
    expect(most).to.equal(6)
  })

  it('prepare the next batch while one predicts', async () => {
    const broker = await startBroker('behave', { maxBatch: 1 })
    const start = performance.now()
    // One after the other, they would take 2000 ms.
    const steps = { prepareMs: 500, predictMs: 500 }
    await Promise.all([broker.call('predict', steps), broker.call('predict', steps)])
    expect(performance.now() - start).to.be.within(1490, 1900)
  })

  it('go ahead with prepared inputs while another input is still being prepared', async () => {
    const broker = await startBroker('behave')
    const order: string[] = []
    const slow = broker.call('predict', { prepareMs: 300 }).then(() => order.push('slow'))
    const fast = broker.call('predict', {}).then(() => order.push('fast'))
    await Promise.all([slow, fast])
    expect(order).to.deep.equal(['fast', 'slow'])
  })

  for (const [harm, code] of [
    ['throw', 'ERR_PIPELINE'],
    ['throw-text', 'ERR_PIPELINE'],
    ['return-error', 'ERR_PIPELINE'],
    ['return-function', 'ERR_NOT_CLONEABLE'],
    ['return-too-few', 'ERR_PIPELINE'],
    ['reject-prepare', 'ERR_IMAGE_DECODE'],
  ] as const) {
    it(`fail only the one input that does "${harm}", not the seven beside it`, async () => {
      const broker = await startBroker('behave', { maxBatch: 8 })
      const calls = Array.from({ length: 8 }, (_, value) =>
        broker.call('predict', value === 5 ? { do: harm, value } : { value }),
      )
      const code5 = codeOf(calls[5] as Promise<unknown>)
      const others = calls.filter((_, i) => i !== 5)
      expect(await Promise.all(others)).to.deep.equal([0, 1, 2, 3, 4, 6, 7])
      expect(await code5).to.equal(code)
      expect(broker.stats().restarts).to.equal(0)
    })
  }

  it('report a thrown value that is not an Error', async () => {
    const broker = await startBroker('behave')
    const error = await errorOf(broker.call('predict', { do: 'throw-text' }))
    expect(error.message).to.equal("The pipeline threw 'a text', which is not an Error.")
  })

  it('with a wrong number of answers fail with both numbers', async () => {
    const broker = await startBroker('behave')
    const error = await errorOf(broker.call('predict', { do: 'return-too-few' }))
    expect(error.message).to.equal('predict() returned 0 answers for 1 inputs.')
  })
})
