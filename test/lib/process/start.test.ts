import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { expect } from 'chai'
import { fromSources } from '../../support/program.ts'
import { runService, scripted, startService } from '../../support/service.ts'

describe('the start', () => {
  it('answers requests and signals that come before the application is loaded', async () => {
    const service = await startService(scripted({ startMs: 60_000 }))
    const answer = fetch(`${service.url}/healthz`)
    service.process.kill('SIGTERM')
    expect((await answer).status).to.equal(200)
    expect(await service.exit).to.deep.equal({ code: 0, signal: null })
  })

  it('listens before its model is there, and answers meanwhile', async () => {
    const service = await startService(scripted({ startMs: 60_000 }), [], fromSources('StartService.ts'))
    expect((await fetch(`${service.url}/healthz`)).status).to.equal(200)
    expect((await fetch(`${service.url}/readyz`)).status).to.equal(503)
    expect((await fetch(`${service.url}/`)).status).to.equal(200)
    const states = service.logs.filter(({ msg }) => msg === 'model state').map(({ state }) => state)
    expect(states).not.to.include('ready')
    service.process.kill('SIGKILL')
    await service.exit
  })

  it('answers a taken port with one sentence and status 1, and starts no model', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const { port } = other.address() as AddressInfo
    const { code, output } = await runService({ ...scripted({}), PORT: String(port) })
    other.close()
    expect(code).to.equal(1)
    expect(output).to.contain(`Port ${port} of 127.0.0.1 is taken`).and.not.to.contain('child started')
  })
})
