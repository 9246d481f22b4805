import { expect } from 'chai'
import { scripted, startService, until } from '../../support/service.ts'

interface Readiness {
  status: string
  models: Record<string, Record<string, unknown>>
}

async function readiness(url: string): Promise<Readiness & { code: number }> {
  const response = await fetch(`${url}/readyz`)
  return { ...((await response.json()) as Readiness), code: response.status }
}

describe('/readyz', () => {
  it("goes from starting, with makePipeline's own words, to ready, with the device", async () => {
    const service = await startService(scripted({ startWord: 'compiling the graph', startMs: 2500 }))
    const starting = await until(async () => {
      const now = await readiness(service.url)
      return now.models.model?.progress ? now : undefined
    }, 'progress')
    expect(starting).to.include({ code: 503, status: 'starting' })
    const early = await fetch(`${service.url}/model`, { method: 'POST', body: 'x' })
    expect(early.status).to.equal(503)
    expect(early.headers.get('Retry-After')).to.equal('10')
    const { error } = (await early.json()) as { error: { code: string; message: string } }
    expect(error.code).to.equal('ERR_NOT_READY')
    expect(error.message).to.contain('compiling the graph')
    expect(starting.models.model?.progress).to.deep.equal({ fraction: 0.5, word: 'compiling the graph' })
    await service.ready()
    const ready = await readiness(service.url)
    expect(ready).to.include({ code: 200, status: 'ready' })
    expect(ready.models.model).to.include({
      state: 'ready',
      device: 'cpu',
      error: null,
      queued: 0,
      inFlight: 0,
    })
    await service.stop()
  })

  it('says why a model does not start, while the service keeps running', async () => {
    const service = await startService(scripted({ failStart: 'no weights here' }))
    await service.line('model failed to start')
    const { code, models } = await readiness(service.url)
    expect(code).to.equal(503)
    expect(models.model?.error).to.deep.equal({
      code: 'ERR_SCRIPT',
      message: 'no weights here',
      permanent: false,
    })
    expect((await fetch(`${service.url}/healthz`)).status).to.equal(200)
    expect(await service.stop()).to.deep.equal({ code: 0, signal: null })
  })
})
