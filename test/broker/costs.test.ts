import { expect } from 'chai'
import { brokerFor, codeOf, errorOf, startBroker, until } from '../support/broker.ts'

const MIB = 2 ** 20

describe('An input that costs too much', () => {
  it('of time fails at once, and the calls beside it are tried once more', async () => {
    const broker = await startBroker('behave', { prepareTimeout: 500 })
    const bomb = errorOf(broker.call('predict', { do: 'busy-pool' }))
    const calls = Array.from({ length: 7 }, (_, value) => broker.call('predict', { value, prepareMs: 100 }))
    await until(() => broker.stats().inFlight === 8, 10_000, 'all calls are in the child')
    await Promise.all(calls)
    const late = Array.from({ length: 7 }, (_, value) => broker.call('predict', { value, predictMs: 1000 }))
    expect(await bomb).to.include({ code: 'ERR_COST' })
    expect((await bomb).message).to.contain('500 ms (prepareTimeout)')
    expect(await Promise.all(late)).to.deep.equal([0, 1, 2, 3, 4, 5, 6])
    expect(broker.stats().restarts).to.equal(1)
  })

  it('of time does not count while it waits for its turn', async () => {
    const broker = await startBroker('behave', { prepareTimeout: 600 })
    const call = broker.call('predict', { value: 'patient', waitMs: 400, prepareMs: 400 })
    expect(await call).to.equal('patient')
    expect(broker.stats().restarts).to.equal(0)
  })

  it('of time does not count while a prediction blocks the child', async () => {
    const broker = await startBroker('behave', { prepareTimeout: 400 })
    const blocking = broker.call('predict', { do: 'block', value: 1500 })
    const beside = broker.call('predict', { do: 'use-pool', value: 'beside' })
    expect(await Promise.all([blocking, beside])).to.deep.equal([1500, 'beside'])
    expect(broker.stats().restarts).to.equal(0)
  })

  it('of memory is found by trying each call alone, and only that one fails', async () => {
    const broker = await startBroker('behave', { maxGrowth: 100 * MIB })
    const calls = Array.from({ length: 8 }, (_, value) =>
      value === 3
        ? codeOf(broker.call('predict', { do: 'grow' }))
        : broker.call('predict', { value, prepareMs: 1000 }),
    )
    expect(await Promise.all(calls)).to.deep.equal([0, 1, 2, 'ERR_COST', 4, 5, 6, 7])
    expect(broker.stats()).to.include({ restarts: 2, inFlight: 0, queued: 0, state: 'ready' })
  })

  it('of memory ends the child, even while a prediction blocks it', async () => {
    const broker = await startBroker('behave', { maxGrowth: 100 * MIB })
    expect(await codeOf(broker.call('predict', { do: 'grow-blocking' }))).to.equal('ERR_CHILD_EXIT')
    expect(await broker.call('predict', { value: 'next' })).to.equal('next')
  })

  it('says so with both numbers', async () => {
    const broker = await startBroker('behave', { maxGrowth: 50 * MIB })
    const { message } = await errorOf(broker.call('predict', { do: 'grow' }))
    const [, grown = 0] =
      /^The child took (\d+) bytes more than when it was ready; the limit is 52428800 \(maxGrowth\)\.$/.exec(
        message,
      ) ?? []
    expect(Number(grown)).to.be.above(50 * MIB)
  })

  it('does not count as a death of the pipeline, however often it is sent', async () => {
    const broker = await startBroker('behave', { prepareTimeout: 100, maxDeaths: 3 })
    const states: string[] = []
    broker.on('state', ({ state }) => states.push(state))
    for (let i = 0; i < 5; i++) {
      expect(await codeOf(broker.call('predict', { do: 'hang-prepare' }))).to.equal('ERR_COST')
    }
    expect(await broker.call('predict', { value: 'fine' })).to.equal('fine')
    expect(states).not.to.include('failed')
  }).timeout(60_000)
})

describe('A pipeline that takes more and more memory without an input', () => {
  it('is restarted, and fails after so many deaths', async () => {
    const broker = brokerFor('grows', { maxGrowth: 50 * MIB, maxDeaths: 2 })
    await broker.start()
    await until(() => broker.stats().state === 'failed', 20_000, 'the state failed')
    expect(broker.stats().error).to.include({ code: 'ERR_COST' })
  }).timeout(30_000)
})
