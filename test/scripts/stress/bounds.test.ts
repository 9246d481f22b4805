import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect } from 'chai'
import { LevelRun, NOT_SENT } from '../../../scripts/stress/level-run.ts'
import { openArrivals } from '../../../scripts/stress/open-arrivals.ts'
import { Recorder } from '../../../scripts/stress/recorder.ts'
import { ANSWERED, CUT, Sender } from '../../../scripts/stress/sender.ts'
import { until } from '../../support/broker.ts'
import { foreignServer } from '../../support/stress.ts'

const senderTo = (url: string, connections: number) =>
  new Sender({
    url: new URL(url),
    key: undefined,
    model: undefined,
    timeoutMs: 60_000,
    connections,
    nextPicture: () => ({ bytes: Buffer.from('x'), name: 'x.jpg', type: 'image/jpeg' }),
  })

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
    const before = memoryInUse()
    record(500_000)
    const growth = memoryInUse() - before
    // As numbers in a list, they would take 4 MB at least, three times over.
    expect(growth).to.be.lessThan(4e6)
    expect(recorder.all()).to.include({ sent: 501_000, answered: 501_000 })
  })

  it('holds as many waiting arrivals as it has connections: those beyond count as failed', async () => {
    const silent = await foreignServer(() => undefined)
    const controller = new AbortController()
    const recorder = new Recorder(1)
    const sender = senderTo(silent.url, 5)
    const run = new LevelRun(sender, recorder, Number.POSITIVE_INFINITY, controller.signal)
    const arrivals = openArrivals(run, 100, 5)
    await until(() => recorder.all().sent >= 20, 10_000, '20 arrivals')
    controller.abort()
    await arrivals
    const { sent, failed, cut, answered } = recorder.all()
    expect([cut, answered]).to.deep.equal([5, 0])
    expect(failed).to.equal(sent - 5)
    expect(recorder.failures().map(({ code }) => code)).to.deep.equal([NOT_SENT, NOT_SENT])
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

  it('has latencies from the time at which an arrival was due, and the lateness of the tester apart', async () => {
    const quick = await foreignServer((request, response) => {
      request.resume()
      response.end('{"success":true,"prediction":"tiger_cat"}')
    })
    const recorder = new Recorder(1)
    const sender = senderTo(quick.url, 100)
    const run = new LevelRun(sender, recorder, performance.now() + 1000, new AbortController().signal)
    setTimeout(() => blockFor(500), 300)
    await openArrivals(run, 50, 100)
    expect(recorder.all()).to.include({ sent: 50, answered: 50 })
    expect(recorder.late.latency()?.max).to.be.at.least(400)
    // Half of the arrivals were due while the tester itself stood still.
    expect(recorder.all().latency?.max).to.be.at.least(400)
    expect(recorder.all().latency?.p90).to.be.at.least(200)
    await sender.close()
    await quick.close()
  })

  it('does not take a short last interval for a high rate', () => {
    const recorder = new Recorder(1)
    recorder.began('GET /')
    recorder.ended('GET /', ANSWERED, 1)
    expect(recorder.closeInterval().answeredPerSecond).to.equal(1)
  })
})

/** After all garbage has been collected. */
function memoryInUse(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function blockFor(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}
