import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { percentile } from '../../../bench/statistics.ts'
import { describeFleet } from '../../support/fleet.ts'
import { allReady, runService, type Service, scripted, startService, until } from '../../support/service.ts'
import { timesOf } from '../../support/times.ts'

interface Ready {
  status: string
  rabbitmq?: { connected: boolean }
  models: Record<string, { state: string; fleet?: { hosts: { name: string; version: string }[] } }>
}

const WITHIN_MS = 60_000
/** One or two milliseconds on a machine with nothing else to do. */
const REFUSED_WITHIN_MS = 50

describeFleet('Web hosts and model hosts', function (rabbit) {
  this.timeout(WITHIN_MS)
  let web: Service
  let model: Service
  const secret = 'some-password'

  before(async function () {
    this.timeout(WITHIN_MS)
    await rabbit().control('add_user', 'tandem', secret)
    await rabbit().control('set_permissions', 'tandem', '.*', '.*', '.*')
    const env = {
      ...scripted({ version: 'one', failures: { bad: 'ERR_IMAGE_DECODE' } }),
      AMQP_URL: rabbit().url.replace('guest:guest', `tandem:${secret}`),
    }
    ;[web, model] = await Promise.all([
      startService({ ...env, ROLE: 'web', HOST_NAME: 'web-1' }),
      startService({ ...env, HOST_NAME: 'model-1' }, ['--role', 'model']),
    ])
    await Promise.all([allReady(web), allReady(model)])
  })
  after(async () => {
    await Promise.all([web?.stop(), model?.stop()])
  })

  const post = (body: string) => fetch(`${web.url}/model`, { method: 'POST', body })
  const readyz = async (of: Service) => (await (await fetch(`${of.url}/readyz`)).json()) as Ready

  it('answer together as one service does: a prediction, and the error of the pipeline', async () => {
    const answer = await post('hello')
    expect(answer.status).to.equal(200)
    expect(await answer.json()).to.deep.include({ model: 'model', prediction: 'hello' })
    const failed = await post('bad')
    expect([failed.status, failed.headers.get('x-error-code')]).to.deep.equal([422, 'ERR_IMAGE_DECODE'])
  })

  it('divide the work: a web host has no child, a model host has no pages', async () => {
    expect(web.logs.filter(({ msg }) => msg === 'child started')).to.deep.equal([])
    expect(model.logs.filter(({ msg }) => msg === 'child started')).to.have.length(1)
    for (const path of [
      '/',
      '/model',
      '/status',
      '/models',
      '/docs',
      '/openapi.json',
      '/vgg',
      '/public/page.css',
    ]) {
      const answer = await fetch(`${model.url}${path}`, { headers: { accept: 'text/html' } })
      expect([path, answer.status, answer.headers.get('content-type')]).to.deep.equal([
        path,
        404,
        'application/json; charset=utf-8',
      ])
    }
    expect((await fetch(`${model.url}/healthz`)).status).to.equal(200)
  })

  it('show each other: hosts in /readyz, /status, /models and /metrics', async () => {
    const { models } = await readyz(web)
    const hosts = models.model?.fleet?.hosts
    expect(hosts?.map(({ name, version }) => [name, version])).to.deep.equal([['model-1', 'one']])
    expect(await readyz(model)).to.deep.include({
      status: 'ready',
      rabbitmq: { connected: true, blocked: null, held: 0 },
    })
    const page = await (await fetch(`${web.url}/status`, { headers: { accept: 'text/html' } })).text()
    expect(page).to.match(/<td>model-1<\/td>/)
    const list = (await (await fetch(`${web.url}/models`)).json()) as { models: object[] }
    expect(list.models[0]).to.deep.include({ name: 'model', state: 'ready', hosts: 1, versions: ['one'] })
    const figures = await (await fetch(`${web.url}/metrics`)).text()
    expect(figures).to.contain('tandem_fleet_connected{model="model"} 1')
    expect(figures).to.contain('tandem_fleet_host_ready{model="model",host="model-1"} 1')
    const own = await (await fetch(`${model.url}/metrics`)).text()
    expect(own).to.match(/tandem_host_answered_total [1-9]/)
    expect(own).to.contain('tandem_host_connected 1')
  })

  it('keep the address of RabbitMQ to themselves: not in the log, not in the environment of a child', async () => {
    for (const service of [web, model]) expect(JSON.stringify(service.logs)).not.to.contain(secret)
    const { pid } = await model.line('child started')
    expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.to.match(/AMQP_URL|some-password/)
  })

  it('a web host is ready only while a model host is, and says what is missing', async () => {
    const alone = await startService({
      ...scripted({}),
      MODELS: 'lonely=x',
      ROLE: 'web',
      AMQP_URL: rabbit().url,
    })
    await alone.line('connected to RabbitMQ')
    const page = await until(async () => {
      const text = await (await fetch(`${alone.url}/lonely`, { headers: { accept: 'text/html' } })).text()
      return text.includes('waiting for a model host') && text
    }, 'the page')
    expect(page).to.match(/No model host serves \S*lonely\S* yet\./)
    expect((await fetch(`${alone.url}/readyz`)).status).to.equal(503)
    const refused = await fetch(`${alone.url}/lonely`, { method: 'POST', body: 'x' })
    expect([refused.status, refused.headers.get('x-error-code')]).to.deep.equal([503, 'ERR_NOT_READY'])
    const times = await timesOf(20, async () => {
      expect((await fetch(`${alone.url}/lonely`, { method: 'POST', body: 'x' })).status).to.equal(503)
    })
    expect(percentile(times, 0.5)).to.be.below(REFUSED_WITHIN_MS)
    const { code } = await alone.stop()
    expect(code).to.equal(0)
  })

  it('a model host that gets SIGTERM finishes what it has, then ends', async () => {
    const calls = Array.from({ length: 10 }, (_, i) => post(`last ${i}`))
    await Promise.all(calls)
    const { code } = await model.stop()
    expect(code).to.equal(0)
    await until(async () => (await readyz(web)).models.model?.fleet?.hosts.length === 0, 'no host')
    expect(model.logs.map(({ msg }) => msg)).to.include.members(['draining', 'drained'])
  })
})

describe('The roles web and model', () => {
  it('need the address of RabbitMQ', async () => {
    const { code, output } = await runService({ ROLE: 'web' })
    expect([code, output]).to.deep.equal([
      2,
      'AMQP_URL must have the address of RabbitMQ when ROLE is web, but is empty.\n',
    ])
  })

  it('never show a wrong address, which may hold a password', async () => {
    for (const address of ['http://me:secret@host', 'amqp://me:secret%@host']) {
      const { code, output } = await runService({ ROLE: 'model', AMQP_URL: address })
      expect(code).to.equal(2)
      expect(output).to.match(/^AMQP_URL must be a comma-separated list of amqp:/)
      expect(output).not.to.contain('secret')
    }
  })
})
