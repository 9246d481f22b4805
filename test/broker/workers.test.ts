import { expect } from 'chai'
import { codeOf, startBroker, until } from '../support/broker.ts'

describe('Several children', () => {
  it('share the calls: the least loaded gets the next', async () => {
    const broker = await startBroker('behave', { workers: 2, maxBatch: 4 })
    await until(
      () => broker.stats().workers.every(({ state }) => state === 'ready'),
      10_000,
      'both are ready',
    )
    const calls = Array.from({ length: 6 }, (_, value) => broker.call('predict', { value, predictMs: 100 }))
    await until(() => broker.stats().inFlight === 6, 10_000, 'all calls are in children')
    expect(broker.stats().workers.map(({ inFlight }) => inFlight)).to.deep.equal([3, 3])
    expect(await Promise.all(calls)).to.deep.equal([0, 1, 2, 3, 4, 5])
  })

  it('take over the calls of one that is killed, and a poison input occupies only one of them', async () => {
    const broker = await startBroker('behave', { workers: 2, maxBatch: 1 })
    await until(
      () => broker.stats().workers.every(({ state }) => state === 'ready'),
      10_000,
      'both are ready',
    )
    const poison = codeOf(broker.call('predict', { do: 'abort' }))
    const calls = Array.from({ length: 40 }, (_, value) => broker.call('predict', { value, predictMs: 10 }))
    expect(await Promise.all(calls)).to.deep.equal(Array.from({ length: 40 }, (_, value) => value))
    expect(await poison).to.equal('ERR_CHILD_EXIT')
    expect(broker.stats().state).to.equal('ready')
    await until(
      () => broker.stats().workers.every(({ state }) => state === 'ready'),
      5000,
      'both are ready again',
    )
  })
})
