import { expect } from 'chai'
import { readMetrics } from '../../../scripts/shared/metrics-text.ts'
import { type Service, startService } from '../../support/service.ts'
import { countsOf, htmlOf, markdownOf, runStress } from '../../support/stress.ts'

/** How many predictions of the server were computed, and how many were not. */
async function cacheOf(service: Service): Promise<Record<string, number>> {
  const samples = readMetrics(await (await fetch(`${service.url}/metrics`)).text())
  return Object.fromEntries(
    samples
      .filter(({ name }) => name === 'tandem_cache_total')
      .map(({ labels, value }) => [labels.outcome ?? '', value]),
  )
}

describe('The cache of a server under the stress test', function () {
  this.timeout(60_000)
  let service: Service
  beforeEach(async () => {
    service = await startService({ MODELS: 'digits', PREDICT_MODEL: 'digits' })
    await service.ready()
  })
  afterEach(() => service.stop())

  it('answers nothing: each picture is one that the server has not seen, in a second test, too', async () => {
    const args = ['--url', service.url, '--rate', '16', '--minutes', '0.04', '--model', 'digits']
    const first = await runStress(args)
    const second = await runStress(args)
    expect([first.code, second.code], markdownOf(second)).to.deep.equal([0, 0])
    const sent = countsOf(first, 'POST /predict').sent + countsOf(second, 'POST /predict').sent
    expect(sent).to.be.greaterThan(30)
    expect(await cacheOf(service)).to.deep.equal({ miss: sent })
  })

  it('answers with --same, and the report says so', async () => {
    const end = await runStress(['--url', service.url, '--rate', '30', '--minutes', '0.04', '--same'])
    expect(end.code, markdownOf(end)).to.equal(0)
    const { hit = 0, miss = 0, shared = 0 } = await cacheOf(service)
    const { sent } = countsOf(end, 'POST /predict')
    expect(sent).to.equal(54)
    expect(hit + miss + shared).to.equal(sent)
    expect(miss).to.be.at.most(12)
    expect(markdownOf(end)).to.include('**The same pictures were sent again')
    expect(htmlOf(end)).to.match(/predictions that were not computed[^<]*<\/td><td>4\d</)
  })
})
