import { expect } from 'chai'
import { spareChildren } from '../../../lib/models/spare-children.ts'
import { StatusAnswer } from '../../../lib/routes/status.ts'
import { type Service, scripted, startService, until } from '../../support/service.ts'

const GIB = 2 ** 30
/** This process, as if it were a child. It takes less than a GiB. */
const child = (device: string | null) => ({ pid: process.pid, info: { device } })

describe('SPARE_CHILDREN=auto', () => {
  const asked = async (free: number, total: number, device: string | null = 'cpu', pid = process.pid) => {
    const count = spareChildren('auto', () => ({ free, total }))
    return typeof count === 'number' ? count : count({ ...child(device), pid })
  }

  it('keeps a spare while a quarter of the memory stays free beside it', async function () {
    if (process.platform !== 'linux') this.skip()
    expect(await asked(2 * GIB, 4 * GIB)).to.equal(1)
    expect(await asked(1 * GIB, 4 * GIB)).to.equal(0)
    expect(await asked(GIB / 2, 4 * GIB)).to.equal(0)
  })

  it('keeps none on a device with memory of its own, or on an unknown device', async () => {
    for (const device of ['cuda', 'webgpu', null]) expect(await asked(64 * GIB, 64 * GIB, device)).to.equal(0)
  })

  it('keeps none where the memory of a child cannot be read', async () => {
    expect(await asked(64 * GIB, 64 * GIB, 'cpu', 2 ** 30)).to.equal(0)
  })

  it('does not promise the same memory to the spares of two models', async function () {
    if (process.platform !== 'linux') this.skip()
    // Room for one more process of this size, but not for two.
    const taken = process.memoryUsage.rss()
    const count = spareChildren('auto', () => ({ free: 4 * taken + taken, total: 16 * taken }))
    if (typeof count === 'number') throw new Error('a number does not look at the memory')
    const many = []
    for (let model = 0; model < 20; model++) many.push(await count(child('cpu')))
    expect(many[0]).to.equal(1)
    expect(many.at(-1)).to.equal(0)
  })

  it('leaves a number as it is', () => {
    expect(spareChildren(0)).to.equal(0)
    expect(spareChildren(3)).to.equal(3)
  })
})

describe('A service with a spare child', () => {
  let service: Service
  const models = async () => {
    const response = await fetch(`${service.url}/status`, { headers: { Accept: 'application/json' } })
    return StatusAnswer.parse(await response.json()).models
  }
  const spareIsReady = () =>
    until(async () => {
      const [model] = await models()
      return model?.spares[0]?.state === 'ready' ? model : undefined
    }, 'a spare that is ready')

  before(async () => {
    service = await startService({ ...scripted({}), SPARE_CHILDREN: '1' })
    await service.ready()
  })
  after(() => service.stop())

  it('shows the spare beside the children that serve, in /status, /readyz and /metrics', async () => {
    const model = await spareIsReady()
    expect(model.workers).to.have.length(1)
    expect(model.spares).to.have.length(1)
    expect(model.spares[0]?.pid).not.to.equal(model.workers[0]?.pid)
    const { models } = (await (await fetch(`${service.url}/readyz`)).json()) as {
      models: { model: { workers: unknown; spares: unknown } }
    }
    expect(models.model).to.deep.include({ workers: ['ready'], spares: ['ready'] })
    expect(await (await fetch(`${service.url}/metrics`)).text()).to.contain(
      'tandem_spare_children{model="model"} 1',
    )
    const page = await (await fetch(`${service.url}/status`, { headers: { Accept: 'text/html' } })).text()
    expect(page).to.contain('1 child and 1 spare')
  })

  it('logs that the spare took over', async () => {
    const { spares, workers } = await spareIsReady()
    process.kill(workers[0]?.pid ?? 0, 'SIGKILL')
    expect(await service.line('spare child took over')).to.include({ model: 'model', pid: spares[0]?.pid })
    const answer = await fetch(`${service.url}/model`, { method: 'POST', body: 'after' })
    expect(answer.status).to.equal(200)
  })
})
