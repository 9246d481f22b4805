import { once } from 'node:events'
import { connect } from 'node:net'
import { expect } from 'chai'
import { type Service, scripted, startService } from '../../support/service.ts'

describe('A malformed request', () => {
  let service: Service
  before(async () => {
    service = await startService(scripted({}))
    await service.ready()
  })
  after(() => service.stop())

  async function raw(text: string): Promise<string> {
    const { hostname, port } = new URL(service.url)
    const socket = connect(Number(port), hostname)
    socket.end(text)
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk
    })
    await once(socket, 'close')
    return answer
  }

  for (const target of ['http://[', '//', 'http://', '*', '/%', '/%00', '/\\..\\', '?', '/x'.repeat(3000)]) {
    it(`with the target ${target.slice(0, 20)} gets a 4xx, and the process goes on`, async () => {
      expect(await raw(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).to.match(
        /^HTTP\/1\.1 (4\d\d|200)/,
      )
      expect((await fetch(`${service.url}/healthz`)).status).to.equal(200)
    })
  }

  it('with an unreadable address gets an error that says so', async () => {
    for (const target of ['http://[', 'http://']) {
      const answer = await raw(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
      expect(answer, target)
        .to.match(/^HTTP\/1\.1 400/)
        .and.to.contain('ERR_BAD_REQUEST')
    }
  })

  it('from a client that resets the connection leaves no error in the log', async () => {
    const { hostname, port } = new URL(service.url)
    for (let i = 0; i < 30; i++) {
      const socket = connect(Number(port), hostname).on('error', () => {})
      await once(socket, 'connect')
      socket.write('POST /model HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc')
      await new Promise((resolve) => setTimeout(resolve, 5))
      socket.resetAndDestroy()
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(service.logs.filter(({ level }) => Number(level) >= 50)).to.deep.equal([])
  })
})
