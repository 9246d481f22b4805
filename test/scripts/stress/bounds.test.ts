import { expect } from 'chai'
import { LevelRun, NOT_SENT } from '../../../scripts/stress/level-run.ts'
import { openArrivals } from '../../../scripts/stress/open-arrivals.ts'
import { Recorder } from '../../../scripts/stress/recorder.ts'
import { ANSWERED, CUT, Sender } from '../../../scripts/stress/sender.ts'
import { foreignServer } from '../../support/stress.ts'

describe('The memory of the stress test', () => {
  it('holds 600 points of a level at most, however long', () => {
    for (const [seconds, intervalMs] of [
      [1, 1000],
      [600, 1000],
      [601, 2000],
      [86_400, 144_000],
    ] as const) {
      expect(new Recorder(seconds).intervalMs).to.equal(intervalMs)
      expect((seconds * 1000) / intervalMs).to.be.at.most(600)
    }
  })

  it('holds 50 codes of a route, and counts the others together', () => {
    const recorder = new Recorder(1)
    for (let i = 0; i < 60; i++) {
      recorder.began('POST /predict')
      recorder.ended('POST /predict', `500 ERR_${i}`, i)
    }
    const failures = recorder.failures()
    expect(failures).to.have.length(51)
    expect(failures.find(({ code }) => code === 'other')?.count).to.equal(10)
    expect(recorder.all()).to.include({ sent: 60, failed: 60, answered: 0, cut: 0 })
  })

  it('does not grow with the number of requests', () => {
    const recorder = new Recorder(1)
    const record = (count: number) => {
      for (let i = 0; i < count; i++) {
        recorder.began('GET /')
        recorder.ended('GET /', ANSWERED, i % 5000)
      }
    }
    record(1000)
    const before = process.memoryUsage()
    record(500_000)
    const after = process.memoryUsage()
    const growth = after.heapUsed + after.external - before.heapUsed - before.external
    // As numbers in a list, they would take 4 MB at least, three times over.
    expect(growth).to.be.lessThan(4e6)
    expect(recorder.all()).to.include({ sent: 501_000, answered: 501_000 })
  })

  it('holds as many waiting arrivals as it has connections: those beyond count as failed', async () => {
    const silent = await foreignServer(() => undefined)
    const controller = new AbortController()
    const recorder = new Recorder(1)
    const sender = new Sender({
      url: new URL(silent.url),
      key: undefined,
      model: undefined,
      timeoutMs: 60_000,
      connections: 5,
      nextPicture: () => ({ bytes: Buffer.from('x'), name: 'x.jpg', type: 'image/jpeg' }),
    })
    const run = new LevelRun(sender, recorder, performance.now() + 500, controller.signal)
    const arrivals = openArrivals(run, 40, 5)
    setTimeout(() => controller.abort(), 800)
    await arrivals
    const notSent = recorder.failures().filter(({ code }) => code === NOT_SENT)
    expect(notSent.reduce((sum, { count }) => sum + count, 0)).to.equal(15)
    expect(recorder.all()).to.include({ sent: 20, failed: 15, cut: 5, answered: 0 })
    await sender.close()
    await silent.close()
  })
})

describe('What the stress test recorded', () => {
  it('has the percentiles of answered requests, and failed ones apart', () => {
    const recorder = new Recorder(1)
    const record = (outcome: string, ms: number) => {
      recorder.began('GET /')
      recorder.ended('GET /', outcome, ms)
    }
    for (let i = 1; i <= 1000; i++) record(ANSWERED, i)
    for (let i = 0; i < 1000; i++) record('503 ERR_QUEUE_FULL', 1)
    record(CUT, 9000)
    const { latency, ...counts } = recorder.all()
    expect(counts).to.include({ sent: 2001, answered: 1000, failed: 1000, cut: 1 })
    for (const [name, ms] of Object.entries({ p50: 500, p90: 900, p95: 950, p99: 990, max: 1000 })) {
      expect(latency?.[name as 'p50'], name).to.be.within(ms * 0.998, ms * 1.002)
    }
    expect(recorder.failures()[0]?.latency?.max).to.be.within(0.99, 1.01)
  })

  it('does not take a short last interval for a high rate', () => {
    const recorder = new Recorder(1)
    recorder.began('GET /')
    recorder.ended('GET /', ANSWERED, 1)
    expect(recorder.closeInterval().answeredPerSecond).to.equal(1)
  })
})
