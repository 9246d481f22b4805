import { expect } from 'chai'
import { createMetrics } from '../../../lib/status/metrics.ts'
import { closeBrokers, startBroker } from '../../support/broker.ts'
import { type Service, scripted, startService } from '../../support/service.ts'

describe('/metrics', () => {
  let service: Service
  let text: string

  before(async () => {
    service = await startService(scripted({ failures: { broken: 'ERR_IMAGE_DECODE' } }))
    await service.ready()
    for (const body of ['a', 'b', 'broken']) await fetch(`${service.url}/model`, { method: 'POST', body })
    await fetch(`${service.url}/no/such/path`)
    text = await (await fetch(`${service.url}/metrics`)).text()
  })
  after(() => service.stop())

  it('counts calls by outcome', () => {
    expect(text).to.contain('tandem_calls_total{model="model",outcome="result"} 2')
    expect(text).to.contain('tandem_calls_total{model="model",outcome="failure"} 1')
  })

  it('measures each stage of the answered calls, and the batches', () => {
    for (const stage of ['queue', 'prepare', 'predict', 'total']) {
      expect(text).to.contain(`tandem_call_seconds_count{model="model",stage="${stage}"} 2`)
    }
    expect(text).to.contain('tandem_batch_size_count{model="model"} ')
  })

  it('reads the queue, calls in flight, restarts and readiness from the broker', () => {
    for (const gauge of ['queue_calls', 'queue_bytes', 'in_flight', 'child_restarts_total']) {
      expect(text).to.contain(`tandem_${gauge}{model="model"} 0`)
    }
    expect(text).to.contain('tandem_model_ready{model="model"} 1')
  })

  it('has labels with routes, never with paths', () => {
    expect(text).to.contain('tandem_http_requests_total{method="POST",route="/model",status="200"} 2')
    expect(text).to.contain('tandem_http_requests_total{method="GET",route="none",status="404"} 1')
    expect(text).not.to.contain('no/such/path')
  })

  it('has the delay of the event loop', () => {
    const p99 = /^tandem_event_loop_delay_seconds\{quantile="0\.99"\} (\S+)$/m.exec(text)?.[1]
    expect(Number(p99)).to.be.within(0, 1)
    expect(text).to.match(/process_resident_memory_bytes \d/)
  })
})

describe('The metrics of a pipeline with methods of its own', () => {
  afterEach(closeBrokers)

  it('count the calls of each method, but no silent ones', async () => {
    const broker = await startBroker('behave')
    const { registry } = createMetrics(new Map([['own', broker]]))
    await broker.call('describe', 'it')
    await broker.call('describe', 'it', { silent: true })
    expect(await registry.metrics()).to.contain('tandem_calls_total{model="own",outcome="result"} 1')
  })
})
