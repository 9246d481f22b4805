import { expect } from 'chai'
import { readMetrics } from '../../../scripts/shared/metrics-text.ts'
import { figuresIn } from '../../../scripts/shared/server-figures.ts'
import { summarise } from '../../../scripts/stress/server-summary.ts'
import { scripted, startService } from '../../support/service.ts'
import { GUESSES } from '../../support/stress.ts'

const scrape = (batches: number, queued: number, delay: number) => `
# HELP tandem_batch_size Calls predicted together
# TYPE tandem_batch_size histogram
tandem_event_loop_delay_seconds{quantile="0.5"} 0.001
tandem_event_loop_delay_seconds{quantile="0.99"} ${delay / 2}
tandem_event_loop_delay_seconds{quantile="1"} ${delay}
tandem_queue_calls{model="a"} ${queued}
tandem_queue_calls{model="b"} 1000
tandem_batch_size_bucket{le="1",model="a"} ${batches}
tandem_batch_size_bucket{le="2",model="a"} ${batches}
tandem_batch_size_bucket{le="4",model="a"} ${batches * 3}
tandem_batch_size_bucket{le="+Inf",model="a"} ${batches * 3}
tandem_batch_size_sum{model="a"} ${batches * 9}
tandem_batch_size_count{model="a"} ${batches * 3}
`

const figures = (...values: Parameters<typeof scrape>) => figuresIn(readMetrics(scrape(...values)), 'a')

describe('The figures of the server', () => {
  it('are read from the text of Prometheus, with labels that hold quotes, braces and newlines', () => {
    expect(
      readMetrics('# a comment\na_total{x="1, \\"}\\n",y="b\\\\"} 2.5\nb 1e3 1700000000\nc +Inf\n\nnonsense'),
    ).to.deep.equal([
      { name: 'a_total', labels: { x: '1, "}\n', y: 'b\\' }, value: 2.5 },
      { name: 'b', labels: {}, value: 1000 },
      { name: 'c', labels: {}, value: Number.POSITIVE_INFINITY },
    ])
  })

  it('are summed up for one level: the worst of the gauges, the growth of the counters, batches by size', () => {
    const summary = summarise(figures(10, 7, 9), [figures(12, 3, 0.2), undefined, figures(20, 5, 0.1)])
    expect(summary).to.include({ maxQueued: 5, delayP99: 100, delayMax: 200, batches: 30, meanBatch: 3 })
    expect(summary?.batchSizes).to.deep.equal([
      { upTo: 1, count: 10 },
      { upTo: 4, count: 20 },
    ])
  })

  it('are none of a server that tells none, or whose metrics are of something else', () => {
    expect(figuresIn(readMetrics('process_cpu_seconds_total 5'), undefined)).to.equal(undefined)
    expect(summarise(undefined, [undefined])).to.equal(undefined)
    expect(summarise(figures(1, 1, 1), [undefined])).to.equal(undefined)
  })

  it('are those that a service really tells, under the same names', async () => {
    const service = await startService(scripted({ answer: GUESSES }))
    await service.ready()
    for (let i = 0; i < 3; i++) await fetch(`${service.url}/model`, { method: 'POST', body: 'an image' })
    const told = figuresIn(readMetrics(await (await fetch(`${service.url}/metrics`)).text()), 'model')
    expect(told).to.deep.include({ queued: 0, inFlight: 0, restarts: 0, cached: 0 })
    expect(told?.batches).to.deep.include({ count: 3, calls: 3 })
    expect(told?.batches.upTo.get(1)).to.equal(3)
    expect(told?.residentBytes).to.be.greaterThan(1e7)
    expect(told?.cpuSeconds).to.be.greaterThan(0)
    expect(told?.delay.max).to.be.at.least(told?.delay.p50 ?? Number.NaN)
    await service.stop()
  })
})
