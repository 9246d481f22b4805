import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import type { Broker } from '../../../broker/broker.ts'
import { createMetrics, type Metrics } from '../../../lib/status/metrics.ts'
import { type SampleColumns, StatusHistory } from '../../../lib/status/status-history.ts'
import { startBroker, until } from '../../support/broker.ts'

describe('the history of figures', () => {
  let broker: Broker
  let metrics: Metrics
  let history: StatusHistory

  beforeEach(async () => {
    broker = await startBroker('behave')
    const brokers = new Map([['model', broker]])
    metrics = createMetrics(brokers)
    history = new StatusHistory(brokers, metrics)
  })
  afterEach(() => history.close())

  const model = (samples: SampleColumns) => samples.models.model ?? expect.fail('there is no such model')
  const request = (status: number, route = '/model') => {
    metrics.countRequest({ method: 'POST', route, status }, 0.01)
  }

  it('takes a sample each second by itself, and returns only new samples on request', async () => {
    await until(() => history.samples().t.length >= 2, 4000, 'two samples')
    const [first = 0, second = 0] = history.samples().t
    expect(second - first).to.be.within(900, 1500)
    expect(history.samples(first).t[0]).to.equal(second)
    expect(model(history.samples(first)).calls).to.have.length(history.samples(first).t.length)
    expect(history.samples(Date.now() + 1000).t).to.deep.equal([])
  })

  it('counts answers by status class, except the answers of /status', () => {
    for (const status of [200, 304, 404, 499, 500, 503, 503]) request(status)
    for (let i = 0; i < 100; i++) request(200, '/status')
    history.sample()
    const { requests, succeeded, refused, failed } = history.samples()
    const [all = 0] = requests
    expect(Number(succeeded[0]) / Number(all)).to.be.closeTo(2 / 7, 0.01)
    expect(Number(refused[0]) / Number(all)).to.be.closeTo(2 / 7, 0.01)
    expect(Number(failed[0]) / Number(all)).to.be.closeTo(3 / 7, 0.01)
  })

  it('computes the rates of a late sample over the real time, and invents no samples', async () => {
    history.sample()
    for (let i = 0; i < 40; i++) request(200)
    const [before = 0] = history.samples().t
    await delay(60)
    block(2200)
    await until(() => history.samples().t.length === 2, 1000, 'the late sample')
    const { t, requests, eventLoopDelay } = history.samples()
    expect(Number(t[1]) - before).to.be.within(2150, 3500)
    expect(requests[1]).to.be.within(40 / 3.5, 40 / 2.15)
    history.sample()
    expect(history.samples().requests[2]).to.equal(0)
    expect(eventLoopDelay[1]).to.be.within(2000, 3500)
  })

  it('measures calls, batches, stages, the queue and how busy the child is', async () => {
    history.sample()
    const calls = Array.from({ length: 12 }, () => broker.call('predict', { predictMs: 100 }))
    await delay(20)
    history.sample()
    await Promise.all(calls)
    history.sample()
    const its = model(history.samples())
    expect(its.inFlight[1]).to.be.greaterThan(0)
    const seconds = (Number(history.samples().t[2]) - Number(history.samples().t[1])) / 1000
    expect(Number(its.calls[2]) * seconds).to.be.closeTo(12, 1)
    expect(its.batchSize[2]).to.be.within(4, 12)
    expect(its.predictP50[2]).to.be.within(95, 250)
    expect(its.totalP99[2]).to.be.greaterThan(Number(its.predictP50[2]))
    expect(its.busy[2]).to.be.within(0.5, 1)
    expect(its.queueP50[1], 'no call has ended by then').to.equal(null)
  })

  it('counts calls that fail, hits of the cache, and a child that died', async () => {
    history.sample()
    await broker.call('predict', { do: 'throw' }).catch(() => {})
    metrics.countCached('model', 'hit')
    metrics.countCached('model', 'miss')
    const [worker] = broker.stats().workers
    process.kill(worker?.pid ?? 0, 'SIGKILL')
    await until(() => broker.stats().restarts === 1, 5000, 'the death')
    history.sample()
    history.sample()
    const its = model(history.samples())
    expect(its.failures[1]).to.be.greaterThan(0)
    expect(its.calls[1]).to.equal(0)
    expect(its.cacheHits[1]).to.be.greaterThan(0)
    expect(its.restarts.slice(0, 3)).to.deep.equal([0, 1, 0])
  })

  it('knows the memory of both processes', async function () {
    if (process.platform !== 'linux') this.skip()
    history.sample()
    await until(
      () => {
        history.sample()
        return model(history.samples()).memory.at(-1) !== null
      },
      3000,
      'the memory of the child',
    )
    expect(model(history.samples()).memory.at(-1)).to.be.within(20e6, 1e9)
    expect(history.samples().memory.at(-1)).to.be.within(20e6, 2e9)
  })

  it('holds a quarter of an hour, however long it runs', () => {
    for (let i = 0; i < 2000; i++) history.sample()
    const samples = history.samples()
    expect(samples.t).to.have.length(900)
    expect(samples.t).to.deep.equal([...samples.t].sort((a, b) => a - b))
    expect(new Set(samples.t).size).to.equal(900)
    expect(model(samples).queued).to.have.length(900)
  })

  it('takes a sample with many calls in little time', () => {
    const timing = { queue: 1, prepare: 2, predict: 3, total: 6, batch: 8 }
    const times = Array.from({ length: 200 }, () => {
      for (let i = 0; i < 256; i++) {
        const ended = { ...timing, total: Math.random() * 100, queue: Math.random() * 100 }
        broker.emit('call', { method: 'predict', outcome: 'result', timing: ended })
      }
      const start = performance.now()
      history.sample()
      return performance.now() - start
    })
    // About 0.2 ms. The machine of a test has other things to do; what went through all calls again would take more.
    expect(times.sort((a, b) => a - b)[100]).to.be.lessThan(5)
  })

  it('takes no more samples once it is closed', async () => {
    history.close()
    const { length } = history.samples().t
    await delay(1100)
    expect(history.samples().t).to.have.length(length)
  })
})

function block(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}
