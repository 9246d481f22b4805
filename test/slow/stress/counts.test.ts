import { expect } from 'chai'
import { readMetrics } from '../../../scripts/shared/metrics-text.ts'
import { dealRoutes, thinkMs } from '../../../scripts/stress/scenario.ts'
import { type Service, scripted, startService } from '../../support/service.ts'
import { countsOf, GUESSES, rowsWith, runStress, toMs } from '../../support/stress.ts'
import { toNumber } from '../../support/tables.ts'

/** What the server counted by itself. */
async function requestsTo(service: Service, route: string, method: string): Promise<number> {
  const text = await (await fetch(`${service.url}/metrics`)).text()
  return readMetrics(text)
    .filter(
      ({ name, labels }) =>
        name === 'tandem_http_requests_total' && labels.route === route && labels.method === method,
    )
    .reduce((sum, { value }) => sum + value, 0)
}

async function served(script: object, env: Record<string, string> = {}): Promise<Service> {
  const service = await startService({ ...scripted({ answer: GUESSES, ...script }), ...env })
  await service.ready()
  return service
}

describe('The stress test counts', function () {
  this.timeout(60_000)

  it('every request: as many as the server, one GET / for three POST /predict', async () => {
    const service = await served({ predictMs: 5 })
    // The first GET / is the question whether the server is there.
    const before = await requestsTo(service, '/', 'GET')
    const end = await runStress([
      '--url',
      service.url,
      '--users',
      '4',
      '--rate',
      '20',
      '--minutes',
      '0.05',
      '--think',
      '0.02,0.1',
    ])
    expect([end.code, end.stderr]).to.deep.equal([0, ''])
    const levels = ['4 users', '20 arrivals'].map((level) => ({
      gets: countsOf(end, 'GET /', level).sent,
      posts: countsOf(end, 'POST /predict', level).sent,
      all: countsOf(end, 'all', level),
    }))
    const total = (read: (level: (typeof levels)[number]) => number) =>
      levels.reduce((sum, level) => sum + read(level), 0)
    expect(total(({ gets }) => gets)).to.equal((await requestsTo(service, '/', 'GET')) - before - 1)
    expect(total(({ posts }) => posts)).to.equal(await requestsTo(service, '/predict', 'POST'))
    const [closed, open] = levels
    // Each user holds the ratio but for the hand of four that the end of the level interrupts.
    expect(Math.abs((closed?.posts ?? 0) - 3 * (closed?.gets ?? 0))).to.be.at.most(3 * 4)
    expect(Math.abs((open?.posts ?? 0) - 3 * (open?.gets ?? 0))).to.be.at.most(3)
    expect(open?.all).to.deep.equal({ sent: 60, failed: 0 })
    expect(closed?.all.sent).to.be.greaterThan(40)
    expect(closed?.all.sent).to.equal((closed?.gets ?? 0) + (closed?.posts ?? 0))
    await service.stop()
  })

  it('refusals of a full queue by their code, and ends with 1', async () => {
    const service = await served({ predictMs: 400 }, { MAX_QUEUE: '1', MAX_BATCH: '1' })
    const end = await runStress([
      '--url',
      service.url,
      '--users',
      '8',
      '--minutes',
      '0.05',
      '--think',
      '0,0.1',
    ])
    expect(end.code).to.equal(1)
    const { sent, failed } = countsOf(end, 'POST /predict')
    const failures = rowsWith('failed with', end)
    expect(failures.map((row) => [row.route, row['failed with']])).to.deep.equal([
      ['POST /predict', '503 ERR\\_QUEUE\\_FULL'],
    ])
    expect(toNumber(failures[0]?.times)).to.equal(failed)
    expect(failed).to.be.within(1, sent - 1)
    expect(await requestsTo(service, '/predict', 'POST')).to.equal(sent)
    await service.stop()
  })

  it('an answer that does not come within --timeout as failed', async () => {
    const service = await served({ predictMs: 8000 })
    const end = await runStress(['--url', service.url, '--rate', '2', '--minutes', '0.02', '--timeout', '1'])
    expect(end.code).to.equal(1)
    const [failure] = rowsWith('failed with', end)
    expect(failure?.['failed with']).to.equal('ERR\\_TIMEOUT')
    // Limits of undici are a second late at most.
    expect(toMs(failure?.['after, max'])).to.be.within(900, 6000)
    await service.stop()
  })

  it('a 200 that names no class as failed', async () => {
    const service = await served({ answer: [] })
    const end = await runStress(['--url', service.url, '--rate', '10', '--minutes', '0.02'])
    expect(end.code).to.equal(1)
    expect(rowsWith('failed with', end).map((row) => row['failed with'])).to.deep.equal(['ERR\\_ANSWER'])
    await service.stop()
  })
})

describe('A user of the stress test', function () {
  this.timeout(60_000)

  it('thinks between an answer and the next request, as long as --think says', async () => {
    const service = await served({})
    const end = await runStress([
      '--url',
      service.url,
      '--users',
      '1',
      '--minutes',
      '0.08',
      '--think',
      '0.3,0.4',
    ])
    const own = service.logs
      .filter(({ msg, path }) => msg === 'request' && ['/', '/predict'].includes(String(path)))
      // The first one is the question whether the server is there.
      .slice(1)
      .map(({ time, ms }) => ({
        begin: Date.parse(String(time)) - Number(ms),
        end: Date.parse(String(time)),
      }))
    const pauses = own.slice(1).map(({ begin }, i) => begin - (own[i]?.end ?? 0))
    expect(own).to.have.length(countsOf(end, 'all').sent)
    expect(pauses.length).to.be.greaterThan(3)
    // The log rounds both of its times to milliseconds.
    expect(Math.min(...pauses)).to.be.at.least(297)
    await service.stop()
  })

  it('thinks 1 to 5 s unless told otherwise, and every time between is possible', () => {
    expect([0, 0.5, 1].map((random) => thinkMs([1, 5], () => random))).to.deep.equal([1000, 3000, 5000])
  })

  it('asks for one page and three predictions in each four requests, in more than one order', () => {
    const orders = Array.from({ length: 100 }, () => {
      const next = dealRoutes()
      return [next(), next(), next(), next()]
    })
    for (const order of orders) expect(order.filter((route) => route === 'GET /')).to.have.length(1)
    expect(new Set(orders.map((order) => order.indexOf('GET /'))).size).to.equal(4)
  })
})
