import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Broker } from '../../broker/broker.ts'
import { codeOf, errorOf, isAlive, startBroker, until } from '../support/broker.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const LONG_MS = 20_000
const pidsOf = (broker: Broker) => broker.stats().workers.map(({ pid }) => pid)

/** Calls without a pause, a few at a time, until `end`. */
function load(broker: Broker, callers: number) {
  let isOver = false
  let answered = 0
  const failures: unknown[] = []
  const caller = async () => {
    while (!isOver) {
      try {
        const value = answered
        const answer = await broker.call('predict', { value, predictMs: 5, prepareMs: 2 })
        if (answer !== value) throw new Error('another answer')
        answered++
      } catch (error) {
        failures.push(error)
      }
    }
  }
  const all = Promise.all(Array.from({ length: callers }, caller))
  return {
    get answered() {
      return answered
    },
    async end() {
      isOver = true
      await all
      return failures
    },
  }
}

describe('Renewing the children', () => {
  it('replaces each of them under load, and no call fails', async () => {
    const broker = await startBroker('behave', { workers: 2, maxBatch: 2 })
    const areReady = () => broker.stats().workers.every(({ state }) => state === 'ready')
    await until(areReady, LONG_MS, 'both children are ready')
    const before = pidsOf(broker)
    const exits: boolean[] = []
    broker.on('child-exit', ({ expected }) => exits.push(expected))
    const calls = load(broker, 9)
    await until(() => calls.answered > 10, LONG_MS, 'some answers')
    await broker.renew()
    const after = pidsOf(broker)
    const answered = calls.answered
    await until(() => calls.answered > answered + 10, LONG_MS, 'answers of the new children')
    expect(await calls.end()).to.deep.equal([])
    expect(after.filter((pid) => before.includes(pid))).to.deep.equal([])
    await until(() => !before.some(isAlive), LONG_MS, 'the old children are gone')
    await until(() => exits.length === before.length, LONG_MS, 'the events of their exits')
    expect(exits).to.deep.equal([true, true])
    expect(broker.stats()).to.include({ restarts: 0, state: 'ready', inFlight: 0 })
  }).timeout(60_000)

  it('lets the old child answer what it holds', async () => {
    const broker = await startBroker('behave')
    const [old] = pidsOf(broker)
    const call = broker.call('predict', { value: 'slow', predictMs: 3_000 })
    await until(() => broker.stats().inFlight === 1, LONG_MS, 'the call is in the child')
    await broker.renew()
    expect(pidsOf(broker)).not.to.include(old)
    expect(broker.stats().inFlight).to.equal(1)
    expect(await broker.call('predict', { value: 'new' })).to.equal('new')
    expect(await call).to.equal('slow')
    await until(() => !isAlive(old), LONG_MS, 'the old child is gone')
  }).timeout(60_000)

  it('tries a call again that the old child held when it died', async () => {
    const broker = await startBroker('behave')
    const [old] = pidsOf(broker)
    const call = broker.call('predict', { value: 'kept', predictMs: 2_000 })
    await until(() => broker.stats().inFlight === 1, LONG_MS, 'the call is in the child')
    await broker.renew()
    process.kill(Number(old), 'SIGKILL')
    expect(await call).to.equal('kept')
    expect(broker.stats().restarts).to.equal(1)
  }).timeout(60_000)

  it('replaces the spares too', async () => {
    const broker = await startBroker('behave', { spares: 1 })
    const ready = () => broker.stats().spares.find(({ state }) => state === 'ready')?.pid
    await until(() => ready() !== undefined, LONG_MS, 'the spare is ready')
    const spare = ready()
    await broker.renew()
    await until(() => ready() !== undefined && ready() !== spare, LONG_MS, 'another spare is ready')
    await until(() => !isAlive(spare), LONG_MS, 'the old spare is gone')
  }).timeout(60_000)

  it('keeps the old child if the new one cannot start, and tells why', async () => {
    const file = join(temporaryFolder(), 'model')
    writeFileSync(file, 'good')
    const broker = await startBroker('reads-a-file', { options: { path: file } })
    const before = pidsOf(broker)
    writeFileSync(file, 'damaged')
    expect((await errorOf(broker.renew())).message).to.contain('damaged')
    expect(pidsOf(broker)).to.deep.equal(before)
    expect(broker.stats()).to.include({ state: 'ready', restarts: 0 })
  }).timeout(60_000)

  it('ends with the broker: no child is left', async () => {
    const broker = await startBroker('starts-slowly', { options: { stepMs: 400 } })
    const started: (number | undefined)[] = []
    broker.on('child-start', ({ pid }) => started.push(pid))
    const renewed = broker.renew()
    await until(() => started.length === 1, LONG_MS, 'the new child has begun')
    await broker.close()
    await renewed
    await until(() => !started.some(isAlive), LONG_MS, 'the new child is gone')
    expect(await codeOf(broker.call('predict', 1))).to.equal('ERR_CLOSED')
  }).timeout(60_000)
})
