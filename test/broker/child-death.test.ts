import { expect } from 'chai'
import { type Broker, BrokerError } from '../../broker/broker.ts'
import { codeOf, errorOf, isAlive, startBroker, until } from '../support/broker.ts'

const pidOf = (broker: Broker) => broker.stats().workers[0]?.pid
const killChild = (broker: Broker) => {
  const pid = pidOf(broker)
  if (pid !== undefined) process.kill(pid, 'SIGKILL')
}

describe('When the child dies', () => {
  it('a poison input fails alone, and the 31 calls beside it succeed', async () => {
    const broker = await startBroker('behave', { maxBatch: 8 })
    const calls = Array.from({ length: 32 }, (_, value) =>
      value === 10 ? codeOf(broker.call('predict', { do: 'abort' })) : broker.call('predict', { value }),
    )
    const answers = await Promise.all(calls)
    expect(answers).to.deep.equal(
      Array.from({ length: 32 }, (_, value) => (value === 10 ? 'ERR_CHILD_EXIT' : value)),
    )
    expect(broker.stats()).to.include({ restarts: 2, inFlight: 0, queued: 0, state: 'ready' })
  }).timeout(30_000)

  it('the call in flight is retried once, and its caller notices nothing', async () => {
    const broker = await startBroker('behave')
    const call = broker.call('predict', { value: 'kept', predictMs: 200 })
    await until(() => broker.stats().inFlight === 1, 10_000, 'the call is in the child')
    killChild(broker)
    expect(await call).to.equal('kept')
    expect(broker.stats().restarts).to.equal(1)
  })

  it('waiting calls wait for the next child', async () => {
    const broker = await startBroker('behave', { maxBatch: 1 })
    const calls = Array.from({ length: 10 }, (_, value) => broker.call('predict', { value, predictMs: 20 }))
    await until(() => broker.stats().inFlight === 2, 10_000, 'the child is full')
    killChild(broker)
    expect(await Promise.all(calls)).to.deep.equal(Array.from({ length: 10 }, (_, value) => value))
  })

  it('the calls in flight are retried one at a time, in order, before the waiting calls', async () => {
    const broker = await startBroker('behave', { maxBatch: 4 })
    const order: unknown[] = []
    const calls = Array.from({ length: 12 }, (_, value) =>
      broker.call('predict', { value, predictMs: 30 }).then((answer) => order.push(answer)),
    )
    await until(() => broker.stats().inFlight === 8, 10_000, 'the child is full')
    killChild(broker)
    let most = 0
    const retried = new Promise<void>((resolve) => {
      broker.on('batch', ({ size }) => {
        if (order.length >= 8) return resolve()
        most = Math.max(most, size, broker.stats().inFlight)
      })
    })
    await Promise.all([...calls, retried])
    expect(most).to.equal(1)
    expect(order).to.deep.equal(Array.from({ length: 12 }, (_, value) => value))
  })

  it('the caller gets an error with the exit of the child as the cause', async () => {
    const broker = await startBroker('behave')
    const error = await errorOf(broker.call('predict', { do: 'exit' }))
    expect(error).to.be.instanceOf(BrokerError)
    expect(error.code).to.equal('ERR_CHILD_EXIT')
    expect(error.cause?.message).to.equal('The child exited with code 7.')
  })

  it('says so at once, although a thread of its pool is busy for minutes', async () => {
    const broker = await startBroker('behave')
    const busy = codeOf(broker.call('predict', { do: 'busy-pool' }, { deadline: 20_000 }))
    await until(() => broker.stats().inFlight === 1, 10_000, 'the call is in the child')
    const error = new Promise<string | undefined>((resolve) =>
      broker.once('state', ({ error }) => resolve(error?.message)),
    )
    const exit = broker.call('predict', { do: 'exit' }).catch(() => {})
    expect(await error).to.equal('The child exited with code 7.')
    broker.kill()
    await exit
    expect(await busy).to.equal('ERR_CLOSED')
  })

  it('too many times in a row, the state is failed: calls are refused at once, and restarts go on', async () => {
    const broker = await startBroker('behave', { maxDeaths: 3 })
    const states: string[] = []
    broker.on('state', ({ state }) => states.push(state))
    const poison = () => codeOf(broker.call('predict', { do: 'abort' }))
    expect(await Promise.all([poison(), poison()])).to.deep.equal(['ERR_CHILD_EXIT', 'ERR_CHILD_EXIT'])
    expect(states).to.include('failed')
    expect(await codeOf(broker.call('predict', {}))).to.equal('ERR_NOT_READY')
    await until(() => broker.stats().state === 'ready', 10_000, 'a later attempt succeeds')
    expect(await broker.call('predict', { value: 'again' })).to.equal('again')
  }).timeout(30_000)

  it('leaves no process behind', async () => {
    const broker = await startBroker('behave')
    const first = pidOf(broker)
    killChild(broker)
    await until(
      () => broker.stats().restarts === 1 && broker.stats().state === 'ready',
      5_000,
      'the next child',
    )
    const second = pidOf(broker)
    expect(second).not.to.equal(first)
    await broker.close()
    expect([first, second].map(isAlive)).to.deep.equal([false, false])
  })
})
