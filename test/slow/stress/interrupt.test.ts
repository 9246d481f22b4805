import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { type Service, scripted, startService, until } from '../../support/service.ts'
import { GUESSES, htmlOf, markdownOf, rowsWith, startStress } from '../../support/stress.ts'
import { toNumber } from '../../support/tables.ts'

describe('Ctrl-C', function () {
  this.timeout(60_000)
  let service: Service
  beforeEach(async () => {
    service = await startService(scripted({ answer: GUESSES, predictMs: 2000 }))
    await service.ready()
  })
  afterEach(() => {
    service.kill('SIGCONT')
    return service.stop()
  })

  const requested = (count: number) =>
    until(() => service.logs.filter(({ path }) => path === '/predict').length >= count, 'requests', 25_000)

  it('ends a stress test early, and the report has what was measured, those that were cut off included', async () => {
    const run = startStress(['--url', service.url, '--users', '5,600', '--minutes', '60', '--think', '0,0.2'])
    await requested(3)
    run.child.kill('SIGINT')
    const end = await run.end
    expect([end.code, end.stderr]).to.deep.equal([130, ''])
    const [, cut] = /ended the test early; (\d+) requests were cut off/.exec(markdownOf(end)) ?? []
    const rows = rowsWith('answers', end)
    expect(rows.map(({ level, route }) => `${level}: ${route}`)).to.deep.equal([
      '5 users: GET /',
      '5 users: POST /predict',
      '5 users: all',
    ])
    expect(toNumber(cut)).to.be.within(1, 5)
    expect(toNumber(rows[2]?.sent)).to.be.greaterThan(3)
    expect(toNumber(rows[2]?.failed)).to.equal(0)
    const [, sent, answered, failed] =
      /<td>all<\/td><td>(\d+)<\/td><td>(\d+)<\/td><td>(\d+)<\/td>/.exec(htmlOf(end)) ?? []
    expect(toNumber(answered) + toNumber(failed) + toNumber(cut)).to.equal(toNumber(sent))
    expect(htmlOf(end)).to.include('ended early')
  })

  it('ends one with arrivals, too', async () => {
    const run = startStress(['--url', service.url, '--rate', '10', '--minutes', '60'])
    await requested(1)
    run.child.kill('SIGTERM')
    const end = await run.end
    expect([end.code, end.stderr]).to.deep.equal([130, ''])
    expect(rowsWith('answers', end)).to.have.length(3)
  })

  it('counts once where npm and the terminal both send it', async () => {
    const run = startStress(['--url', service.url, '--users', '2', '--minutes', '60', '--think', '0,0.2'])
    await requested(1)
    run.child.kill('SIGINT')
    run.child.kill('SIGINT')
    const end = await run.end
    expect([end.code, rowsWith('answers', end).length]).to.deep.equal([130, 3])
  })

  it('a second time ends it at once and without a report, while the server leaves it waiting for its figures', async () => {
    const run = startStress(['--url', service.url, '--users', '2', '--minutes', '60', '--think', '0,0.2'])
    await requested(1)
    service.kill('SIGSTOP')
    run.child.kill('SIGINT')
    await delay(1000)
    run.child.kill('SIGINT')
    const { code, stderr, report } = await run.end
    service.kill('SIGCONT')
    expect([code, stderr, existsSync(`${report}.html`)]).to.deep.equal([130, '', false])
  })
})
