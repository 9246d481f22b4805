import { expect } from 'chai'
import { Broker } from '../../broker/broker.ts'
import { brokerFor, codeOf, fixture, isAlive, startBroker, until } from '../support/broker.ts'

describe('Broker.close', () => {
  it('refuses new calls, finishes the accepted ones, then ends the child', async () => {
    const broker = await startBroker('behave', { maxBatch: 2 })
    const pid = broker.stats().workers[0]?.pid
    const calls = Array.from({ length: 10 }, (_, value) => broker.call('predict', { value, predictMs: 20 }))
    const closing = broker.close()
    expect(await codeOf(broker.call('predict', {}))).to.equal('ERR_CLOSED')
    expect(await Promise.all(calls)).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    await closing
    expect(isAlive(pid)).to.equal(false)
    expect(broker.stats()).to.include({ state: 'closed', inFlight: 0 })
  })

  it('stops waiting for calls after its timeout', async () => {
    const broker = await startBroker('behave')
    const stuck = codeOf(broker.call('predict', { do: 'spin' }))
    await until(() => broker.stats().inFlight === 1, 10_000, 'the call is in the child')
    const start = performance.now()
    await broker.close({ timeout: 100 })
    expect(await stuck).to.equal('ERR_CLOSED')
    // the timeout, and the two seconds after which a child that does not end is killed
    expect(performance.now() - start).to.be.below(3_000)
  })

  it('can be called twice, and before or during the start of the child', async () => {
    const never = brokerFor('behave')
    await Promise.all([never.close(), never.close()])
    expect(await codeOf(never.start())).to.equal('ERR_CLOSED')
    const starting = brokerFor('behave')
    const started = codeOf(starting.start())
    const pid = starting.stats().workers[0]?.pid
    await starting.close()
    expect(await started).to.equal('ERR_CLOSED')
    expect(isAlive(pid)).to.equal(false)
  })

  it('replaces a child that dies during the drain, so that every accepted call is answered', async () => {
    const broker = await startBroker('behave', { maxBatch: 1 })
    const calls = Array.from({ length: 4 }, (_, value) => broker.call('predict', { value, predictMs: 50 }))
    await until(() => broker.stats().inFlight === 2, 10_000, 'the child is full')
    const closing = broker.close()
    process.kill(broker.stats().workers[0]?.pid ?? 0, 'SIGKILL')
    expect(await Promise.all(calls)).to.deep.equal([0, 1, 2, 3])
    await closing
  })

  it('is what `await using` calls', async () => {
    const broker = new Broker({ pipeline: fixture('behave') })
    await broker.start()
    await broker[Symbol.asyncDispose]()
    expect(broker.stats().state).to.equal('closed')
  })

  it('kill() rejects a pending start()', async () => {
    const broker = brokerFor('never-ready')
    const started = codeOf(broker.start())
    broker.kill()
    expect(await started).to.equal('ERR_CLOSED')
  })

  it('kill() ends everything at once', async () => {
    const broker = await startBroker('behave')
    const pid = broker.stats().workers[0]?.pid
    const stuck = codeOf(broker.call('predict', { do: 'hang' }))
    broker.kill()
    expect(await stuck).to.equal('ERR_CLOSED')
    await until(() => !isAlive(pid), 10_000, 'the child is gone')
  })
})
