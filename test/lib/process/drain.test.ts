import { rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { isAlive } from '../../support/broker.ts'
import { type Service, scripted, startService, until } from '../../support/service.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const post = (service: Service, body: string) => fetch(`${service.url}/model`, { method: 'POST', body })

describe('SIGTERM', () => {
  it('with 50 requests in flight gives 50 answers, then the process ends with 0', async () => {
    const heldBy = join(temporaryFolder(), 'held')
    writeFileSync(heldBy, '')
    const service = await startService(scripted({ heldBy }))
    await service.ready()
    const answers = Array.from({ length: 50 }, (_, index) => post(service, `input ${index}`))
    await until(() => inProgress(service, 50), '50 calls')
    service.kill('SIGTERM')
    await service.line('draining')
    rmSync(heldBy)
    const responses = await Promise.all(answers)
    expect(responses.map(({ status }) => status)).to.deep.equal(Array(50).fill(200))
    expect(responses.at(-1)?.headers.get('Connection')).to.equal('close')
    expect(await service.exit).to.deep.equal({ code: 0, signal: null })
  })

  it('is "draining" to who still asks on an open connection, and refuses new connections', async () => {
    const service = await startService(scripted({ predictMs: 500 }))
    await service.ready()
    const { hostname, port } = new URL(service.url)
    const socket = connect(Number(port), hostname).setEncoding('utf8')
    let received = ''
    socket.on('data', (text) => (received += text))
    // Half a request: the connection is in use when the signal comes.
    socket.write('GET /readyz HTTP/1.1\r\nHost: x\r\n')
    const answer = post(service, 'x')
    await until(() => inProgress(service, 1), 'the call')
    service.kill('SIGTERM')
    await service.line('draining')
    expect(await fetch(service.url).catch(() => 'refused')).to.equal('refused')
    socket.write('\r\n')
    expect((await answer).status).to.equal(200)
    await service.exit
    expect(received)
      .to.match(/^HTTP\/1.1 503 /)
      .and.match(/connection: close/i)
      .and.contain('"status":"draining"')
  })

  it('does not wait for connections that ask nothing', async () => {
    const service = await startService(scripted({}))
    await service.ready()
    const { hostname, port } = new URL(service.url)
    const silent = connect(Number(port), hostname)
    await new Promise((resolve) => silent.once('connect', resolve))
    const start = performance.now()
    expect(await service.stop()).to.deep.equal({ code: 0, signal: null })
    expect(performance.now() - start).to.be.lessThan(3000)
  })

  it('waits no longer than DRAIN_TIMEOUT_MS', async () => {
    const service = await startService({ ...scripted({ predictMs: 8000 }), DRAIN_TIMEOUT_MS: '300' })
    await service.ready()
    const answer = post(service, 'x').catch(() => 'cut')
    await until(() => inProgress(service, 1), 'the call')
    const start = performance.now()
    expect(await service.stop()).to.deep.equal({ code: 0, signal: null })
    expect(performance.now() - start).to.be.lessThan(3000)
    expect(await answer).to.equal('cut')
  })

  it('twice within half a second counts once, as a service manager and npm each send their own', async () => {
    const service = await startService(scripted({ predictMs: 500 }))
    await service.ready()
    const answer = post(service, 'x')
    await until(() => inProgress(service, 1), 'the call')
    service.kill('SIGTERM')
    await service.line('draining')
    service.kill('SIGTERM')
    service.kill('SIGINT')
    expect((await answer).status).to.equal(200)
    expect(await service.exit).to.deep.equal({ code: 0, signal: null })
  })

  it('more than half a second later ends the process and its children at once, with 1', async () => {
    const service = await startService(scripted({ predictMs: 8000 }))
    const { pid } = await service.line('child started')
    await service.ready()
    const answer = post(service, 'x').catch(() => 'cut')
    await until(() => inProgress(service, 1), 'the call')
    service.kill('SIGTERM')
    await service.line('draining')
    await delay(700)
    const start = performance.now()
    service.kill('SIGTERM')
    expect(await service.exit).to.deep.equal({ code: 1, signal: null })
    expect(performance.now() - start).to.be.lessThan(1000)
    expect(await answer).to.equal('cut')
    await until(() => !isAlive(Number(pid)), 'the end of the child')
  })
})

describe('SIGTERM while a model is loading', () => {
  it('ends with 0, and reports no failure of the model', async () => {
    const service = await startService(scripted({ startMs: 60_000, startWord: 'reading' }))
    await service.line('reading')
    expect(await service.stop()).to.deep.equal({ code: 0, signal: null })
    expect(service.logs.filter(({ level }) => Number(level) >= 40)).to.deep.equal([])
  })
})

describe('a log that nobody reads', () => {
  it('does not keep the process from ending, the second time at once', async () => {
    const service = await startService(scripted({}))
    await service.ready()
    service.process.stdout?.pause()
    service.process.stdout?.removeAllListeners('data')
    // More than the pipe holds, so that the flush at the end would wait for ever.
    for (let i = 0; i < 20; i++)
      await Promise.all(Array.from({ length: 50 }, () => fetch(`${service.url}/${'x'.repeat(200)}`)))
    const ended = new Promise((resolve) => service.process.once('exit', () => resolve('ended')))
    service.kill('SIGTERM')
    await delay(700)
    service.kill('SIGTERM')
    expect(await Promise.race([ended, delay(4000, 'still there')])).to.equal('ended')
  })
})

describe('SIGKILL of the web process', () => {
  it('leaves no child after two seconds', async () => {
    const service = await startService(scripted({}))
    const { pid } = await service.line('child started')
    await service.ready()
    expect(isAlive(Number(pid))).to.equal(true)
    service.kill('SIGKILL')
    await service.exit
    await delay(2000)
    expect(isAlive(Number(pid))).to.equal(false)
  })
})

async function inProgress(service: Service, calls: number): Promise<boolean> {
  const { models } = (await (await fetch(`${service.url}/readyz`)).json()) as {
    models: { model: { queued: number; inFlight: number } }
  }
  return models.model.queued + models.model.inFlight === calls
}
