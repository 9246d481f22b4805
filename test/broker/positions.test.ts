import { expect } from 'chai'
import { codeOf, startBroker, until } from '../support/broker.ts'

describe('onPosition', () => {
  it('is called once for each place in the queue, and with 0 when a child has the call', async () => {
    const broker = await startBroker('behave', { maxBatch: 1 })
    const seen: number[][] = [[], [], [], [], []]
    const calls = seen.map((its, value) =>
      broker.call('predict', { value, predictMs: 200 }, { onPosition: (position) => its.push(position) }),
    )
    await Promise.all(calls)
    // A child holds two batches: the one that it predicts, and the next.
    expect(seen).to.deep.equal([[0], [0], [1, 0], [2, 1, 0], [3, 2, 1, 0]])
  })

  it('is called when a call further ahead is aborted', async () => {
    const broker = await startBroker('behave', { maxBatch: 1 })
    const busy = [0, 1].map((value) => broker.call('predict', { value, predictMs: 400 }))
    await until(() => broker.stats().inFlight === 2, 10_000, 'the child is full')
    const leaving = new AbortController()
    const ahead = codeOf(broker.call('predict', { value: 2 }, { signal: leaving.signal }))
    const seen: number[] = []
    const last = broker.call('predict', { value: 3 }, { onPosition: (position) => seen.push(position) })
    await until(() => seen.length === 1, 10_000, 'its first place')
    leaving.abort()
    await until(() => seen.length === 2, 10_000, 'its second place')
    expect(seen).to.deep.equal([2, 1])
    expect(await ahead).to.equal('ERR_ABORTED')
    await Promise.all([...busy, last])
    expect(seen).to.deep.equal([2, 1, 0])
  })
})
