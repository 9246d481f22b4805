import { expect } from 'chai'
import { codeOf, startBroker, until } from '../support/broker.ts'

describe('Limits of the queue', () => {
  it('refuses the surplus of 10 000 calls for 256 places at once, and answers the rest in order', async () => {
    const broker = await startBroker('behave', { maxQueue: 256 })
    const refused: number[] = []
    const answered: unknown[] = []
    const calls = Array.from({ length: 10_000 }, (_, value) =>
      broker.call('predict', { value }).then(
        (answer) => answered.push(answer),
        (error) => {
          expect(error.code).to.equal('ERR_QUEUE_FULL')
          expect(answered).to.have.lengthOf(0)
          refused.push(value)
        },
      ),
    )
    await Promise.all(calls)
    expect(refused).to.deep.equal(Array.from({ length: 10_000 - 256 }, (_, i) => i + 256))
    expect(answered).to.deep.equal(Array.from({ length: 256 }, (_, i) => i))
  })

  it('counts the bytes of the waiting inputs', async () => {
    const broker = await startBroker('behave', { maxQueueBytes: 100_000, maxBatch: 1 })
    const busy = [0, 1].map(() => broker.call('predict', { predictMs: 100 }))
    await until(() => broker.stats().inFlight === 2, 10_000, 'the child is full')
    const fits = broker.call('predict', { value: Buffer.alloc(90_000) })
    expect(broker.stats().queuedBytes).to.be.within(90_000, 91_000)
    expect(await codeOf(broker.call('predict', { value: Buffer.alloc(20_000) }))).to.equal('ERR_QUEUE_FULL')
    await Promise.all([...busy, fits])
    expect(broker.stats().queuedBytes).to.equal(0)
  })

  it('has room again as soon as a caller aborts', async () => {
    const broker = await startBroker('behave', { maxQueue: 1, maxBatch: 1 })
    const busy = []
    for (const inChild of [1, 2]) {
      busy.push(broker.call('predict', { predictMs: 200 }))
      await until(() => broker.stats().inFlight === inChild, 10_000, 'the call has left the queue')
    }
    const leaving = new AbortController()
    const left = codeOf(broker.call('predict', {}, { signal: leaving.signal }))
    expect(await codeOf(broker.call('predict', {}))).to.equal('ERR_QUEUE_FULL')
    leaving.abort()
    expect(await left).to.equal('ERR_ABORTED')
    const next = broker.call('predict', { value: 'in' })
    await Promise.all(busy)
    expect(await next).to.equal('in')
  })
})
