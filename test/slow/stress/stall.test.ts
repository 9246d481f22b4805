import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { type Service, scripted, startService, until } from '../../support/service.ts'
import { GUESSES, rowsWith, type StressEnd, startStress, toMs } from '../../support/stress.ts'

const STOP_MS = 3000
const LEVEL_MINUTES = '0.15'

/** Makes a test during which the server stands still, from the time on at which it gets requests. */
async function stalled(service: Service, args: readonly string[]): Promise<StressEnd> {
  const seen = service.logs.length
  const run = startStress(['--url', service.url, '--minutes', LEVEL_MINUTES, ...args])
  await until(
    () => service.logs.slice(seen).some(({ path }) => path === '/predict'),
    'the first prediction',
    25_000,
  )
  service.kill('SIGSTOP')
  await delay(STOP_MS)
  service.kill('SIGCONT')
  return run.end
}

describe('A server that stands still for 3 s', function () {
  this.timeout(90_000)
  let service: Service
  before(async () => {
    service = await startService(scripted({ answer: GUESSES }))
    await service.ready()
  })
  after(async () => {
    service.kill('SIGCONT')
    await service.stop()
  })

  it('is seen by arrivals that wait for nothing: as long as it stood still, at p90 already', async () => {
    const end = await stalled(service, ['--rate', '20'])
    const all = rowsWith('answers', end).find(({ route }) => route === 'all')
    expect([end.code, all?.sent]).to.deep.equal([0, '180'])
    // The request that was due first after the stop waited for almost all of it.
    expect(toMs(all?.max)).to.be.at.least(STOP_MS - 300)
    expect(toMs(all?.p99)).to.be.at.least(STOP_MS - 500)
    // A third of the arrivals came while the server stood still, evenly: a tenth of all waited for 2 s at least.
    expect(toMs(all?.p90)).to.be.at.least(STOP_MS / 2)
  })

  it('is seen by one request of a user who waits for each answer, so that the percentiles hide it', async () => {
    const end = await stalled(service, ['--users', '1', '--think', '0.04,0.06'])
    const all = rowsWith('answers', end).find(({ route }) => route === 'all')
    expect(toMs(all?.max)).to.be.at.least(STOP_MS / 2)
    expect(toMs(all?.p90)).to.be.lessThan(STOP_MS / 3)
  })
})
