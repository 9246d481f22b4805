import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Broker, BrokerOptions, ReadyChild } from '../../broker/broker.ts'
import { brokerFor, codeOf, errorOf, isAlive, startBroker, until } from '../support/broker.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const LONG_MS = 20_000
const pidOf = (broker: Broker) => broker.stats().workers[0]?.pid
const spareOf = (broker: Broker) => broker.stats().spares[0]
const kill = (...pids: (number | undefined)[]) => {
  for (const pid of pids) if (pid !== undefined) process.kill(pid, 'SIGKILL')
}

/** The process id of a spare that is ready. */
async function readySpare(broker: Broker): Promise<number | undefined> {
  await until(() => spareOf(broker)?.state === 'ready', LONG_MS, 'the spare is ready')
  return spareOf(broker)?.pid
}

async function start(pipeline: string, options: Omit<BrokerOptions, 'pipeline'> = {}): Promise<Broker> {
  const broker = await startBroker(pipeline, { spares: 1, ...options })
  await readySpare(broker)
  return broker
}

describe('A spare child', () => {
  it('takes the place of one that is killed, and another spare is started', async () => {
    const broker = await start('behave')
    const spare = spareOf(broker)?.pid
    const takeovers: unknown[] = []
    broker.on('takeover', ({ pid }) => takeovers.push(pid))
    const call = broker.call('predict', { value: 'kept', predictMs: 200 })
    await until(() => broker.stats().inFlight === 1, 1000, 'the call is in the child')
    kill(pidOf(broker))
    expect(await call).to.equal('kept')
    expect(pidOf(broker)).to.equal(spare)
    expect(takeovers).to.deep.equal([spare])
    expect(broker.stats().restarts).to.equal(1)
    expect(await readySpare(broker)).not.to.equal(spare)
  })

  it('takes the place of one that hangs', async () => {
    const broker = await start('behave', { hangTimeout: 500 })
    const spare = spareOf(broker)?.pid
    const hanging = codeOf(broker.call('predict', { do: 'spin' }))
    await until(() => pidOf(broker) === spare, LONG_MS, 'the spare serves')
    expect(await hanging).to.equal('ERR_CHILD_EXIT')
    expect(await broker.call('predict', { value: 'after' })).to.equal('after')
  })

  it('starts when the children that serve are ready, and gets no calls', async () => {
    const broker = brokerFor('behave', { spares: 1, workers: 2, maxBatch: 1 })
    const order: string[] = []
    let ready = 0
    broker.on('child-start', ({ spare }) => {
      ready = broker.stats().workers.filter(({ state }) => state === 'ready').length
      order.push(spare ? `spare beside ${ready}` : 'child')
    })
    await broker.start()
    await readySpare(broker)
    expect(order).to.deep.equal(['child', 'child', 'spare beside 2'])
    const calls = Array.from({ length: 8 }, (_, value) => broker.call('predict', { value, predictMs: 100 }))
    await until(() => broker.stats().inFlight > 0, 1000, 'calls are in children')
    expect(broker.stats()).to.deep.include({ inFlight: 4, queued: 4 })
    await Promise.all(calls)
  })

  it('that still starts takes over too, because it is ahead of a new child', async () => {
    const broker = await startBroker('starts-slowly', { spares: 1, options: { stepMs: 300 } })
    let others = 0
    broker.on('child-start', ({ spare }) => (others += spare ? 0 : 1))
    await until(() => spareOf(broker) !== undefined, LONG_MS, 'the spare has begun')
    const spare = spareOf(broker)?.pid
    kill(pidOf(broker))
    expect(await broker.call('predict', 'waits')).to.equal('waits')
    expect(pidOf(broker)).to.equal(spare)
    expect(others).to.equal(0)
  })

  it('that dies is replaced, and no call notices', async () => {
    const broker = await start('behave')
    const [serving, spare] = [pidOf(broker), spareOf(broker)?.pid]
    const call = broker.call('predict', { value: 'unharmed', predictMs: 200 })
    kill(spare)
    expect(await call).to.equal('unharmed')
    await until(() => broker.stats().restarts === 1, LONG_MS, 'the death is noticed')
    expect(await readySpare(broker)).not.to.equal(spare)
    expect(pidOf(broker)).to.equal(serving)
    expect(broker.stats().restarts).to.equal(1)
  })

  it('that dies in the same moment as the serving child costs no call', async () => {
    const broker = await start('behave')
    const dead = [pidOf(broker), spareOf(broker)?.pid]
    const calls = Array.from({ length: 16 }, (_, value) => broker.call('predict', { value, predictMs: 50 }))
    await until(() => broker.stats().inFlight === 16, 1000, 'the child is full')
    kill(...dead)
    expect(await Promise.all(calls)).to.deep.equal(Array.from({ length: 16 }, (_, value) => value))
    expect(dead).not.to.include(pidOf(broker))
  })

  it('that does not answer when it is needed is killed, and a new child serves', async () => {
    const broker = await start('behave')
    const spare = spareOf(broker)?.pid
    if (spare !== undefined) process.kill(spare, 'SIGSTOP')
    kill(pidOf(broker))
    expect(await broker.call('predict', { value: 'late' })).to.equal('late')
    expect(isAlive(spare)).to.equal(false)
  }).timeout(60_000)

  it('does not help a poison input, and keeps the calls beside it safe', async () => {
    const broker = await start('behave')
    const calls = Array.from({ length: 16 }, (_, value) =>
      value === 5 ? codeOf(broker.call('predict', { do: 'abort' })) : broker.call('predict', { value }),
    )
    expect(await Promise.all(calls)).to.deep.equal(
      Array.from({ length: 16 }, (_, value) => (value === 5 ? 'ERR_CHILD_EXIT' : value)),
    )
    expect(broker.stats()).to.include({ restarts: 2, inFlight: 0, queued: 0, state: 'ready' })
  }).timeout(60_000)

  for (const how of ['close', 'kill'] as const) {
    it(`ends at ${how}()`, async () => {
      const broker = await start('behave')
      const pids = [pidOf(broker), spareOf(broker)?.pid]
      await broker[how]()
      await until(() => !pids.some(isAlive), LONG_MS, 'both processes are gone')
      await until(() => broker.stats().spares.length === 0, LONG_MS, 'the broker has noticed')
    })
  }

  it('is wanted by a number from 0 to 16', () => {
    for (const spares of [-1, 17, 1.5, 'auto']) {
      const make = () => brokerFor('behave', { spares: spares as number })
      expect(make).to.throw(`spares must be a whole number from 0 to 16, but is`)
    }
  })

  for (const [what, spares] of [
    [
      'throws',
      () => {
        throw new Error('no idea')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no idea'))],
    ['gives no number', () => Number.NaN],
  ] as const) {
    it(`are none if the function ${what}; the log says why, and calls go on`, async () => {
      const broker = brokerFor('behave', { spares })
      const lines: string[] = []
      broker.on('log', ({ line }) => lines.push(line))
      await broker.start()
      await until(() => lines.length > 0, 10_000, 'the line in the log')
      expect(lines[0]).to.match(/^No spare child could be started: .*(no idea|spares)/)
      expect(broker.stats().spares).to.deep.equal([])
      expect(await broker.call('predict', { value: 'fine' })).to.equal('fine')
    })
  }

  it('is wanted by a function, which is asked before each start and gets a child that serves', async () => {
    const asked: ReadyChild[] = []
    const broker = await start('behave', {
      spares: async (child) => {
        asked.push(child)
        return 1
      },
    })
    expect(asked[0]).to.deep.equal({ pid: pidOf(broker), info: { device: 'cpu' } })
    const count = asked.length
    kill(pidOf(broker))
    await until(() => broker.stats().restarts === 1, LONG_MS, 'the death is noticed')
    await readySpare(broker)
    expect(asked.length).to.be.above(count)
    expect(asked.at(-1)?.pid).to.equal(pidOf(broker))
  })

  it('is not started when the function says 0', async () => {
    let wasAsked = () => {}
    const asked = new Promise<void>((resolve) => (wasAsked = resolve))
    const spares = () => {
      setImmediate(wasAsked)
      return 0
    }
    const broker = await startBroker('behave', { spares })
    await asked
    kill(pidOf(broker))
    expect(await broker.call('predict', { value: 'as before' })).to.equal('as before')
    expect(broker.stats().spares).to.deep.equal([])
  })
})

describe('A spare child whose files change', () => {
  let folder = ''
  let path = ''
  beforeEach(() => {
    folder = temporaryFolder()
    path = join(folder, 'model')
    writeFileSync(path, 'good')
  })
  afterEach(() => rmSync(folder, { recursive: true }))
  const startWithFile = (delayMs = 0) => start('reads-a-file', { options: { path, delayMs } })

  it('never serves, even when the serving child dies in the moment of the change', async () => {
    const broker = await startWithFile()
    const spare = spareOf(broker)?.pid
    writeFileSync(path, 'good and new')
    kill(pidOf(broker))
    await broker.call('predict', 1)
    expect(broker.stats().info).to.equal('good and new')
    expect(pidOf(broker)).not.to.equal(spare)
    await until(() => !isAlive(spare), LONG_MS, 'the old spare is gone')
  })

  it('never serves if it was still starting at the change', async () => {
    const broker = await startBroker('reads-a-file', { spares: 1, options: { path, delayMs: 1000 } })
    await until(() => spareOf(broker)?.state === 'starting', LONG_MS, 'the spare has begun')
    // Long enough for the spare to have read the file.
    await new Promise((resolve) => setTimeout(resolve, 900))
    writeFileSync(path, 'good and new')
    kill(pidOf(broker))
    await broker.call('predict', 1)
    expect(broker.stats().info).to.equal('good and new')
  }).timeout(60_000)

  it('is replaced by a spare that has read the new files', async () => {
    const broker = await startWithFile()
    const [serving, spare] = [pidOf(broker), spareOf(broker)?.pid]
    writeFileSync(path, 'good and new')
    await until(() => spareOf(broker)?.pid !== spare, LONG_MS, 'the old spare has gone')
    const next = await readySpare(broker)
    expect(pidOf(broker)).to.equal(serving)
    kill(serving)
    await broker.call('predict', 1)
    expect(pidOf(broker)).to.equal(next)
    expect(broker.stats().info).to.equal('good and new')
    expect(broker.stats().restarts).to.equal(1)
  })

  it('and that can then not be made, leaves the serving child alone', async () => {
    const broker = await startWithFile()
    writeFileSync(path, 'rubbish')
    await until(() => spareOf(broker) === undefined, LONG_MS, 'no spare can be made')
    expect(await broker.call('predict', 1)).to.equal(1)
    expect(broker.stats()).to.include({ state: 'ready', restarts: 0, error: null })
    writeFileSync(path, 'good again')
    await readySpare(broker)
    kill(pidOf(broker))
    await broker.call('predict', 1)
    expect(broker.stats().info).to.equal('good again')
    writeFileSync(path, 'rubbish')
    kill(pidOf(broker), spareOf(broker)?.pid)
    expect(await errorOf(broker.call('predict', 1))).to.include({ code: 'ERR_NOT_READY' })
  }).timeout(60_000)
})
