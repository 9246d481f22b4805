import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { type Service, scripted, startService, until } from '../../support/service.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const LARGE = 30 * 2 ** 20

describe('a request body', () => {
  let service: Service

  before(async () => {
    service = await startService({ ...scripted({}), MAX_BODY_BYTES: '1mb', BODY_TIMEOUT_MS: '2000' })
    await service.ready()
  })
  after(() => service.stop())

  it('with a too large Content-Length is refused, and a client that sends everything first can read the answer', async () => {
    const answer = await sendAll(service, `Content-Length: ${LARGE}`, [Buffer.alloc(LARGE)])
    expect(answer)
      .to.match(/^HTTP\/1.1 413 /)
      .and.match(/connection: close/i)
      .and.contain('ERR_BODY_TOO_LARGE')
  })

  it('without a length that turns out too large is refused in the same way', async () => {
    const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(2 ** 20), Buffer.from('\r\n')])
    const chunks = [...Array.from({ length: 30 }, () => chunk), Buffer.from('0\r\n\r\n')]
    const answer = await sendAll(service, 'Transfer-Encoding: chunked', chunks)
    expect(answer)
      .to.match(/^HTTP\/1.1 413 /)
      .and.contain('ERR_BODY_TOO_LARGE')
  })

  it('of 30 MB from curl gets the 413', async () => {
    const file = join(temporaryFolder(), 'large')
    writeFileSync(file, Buffer.alloc(LARGE))
    const flags = [
      '-s',
      '-w',
      '%{http_code}',
      '-H',
      'Expect:',
      '--data-binary',
      `@${file}`,
      `${service.url}/model`,
    ]
    const { stdout } = await promisify(execFile)('curl', flags)
    expect(stdout).to.contain('ERR_BODY_TOO_LARGE').and.match(/413$/)
  })

  it('that does not arrive in time is refused', async () => {
    const start = performance.now()
    const answer = await sendAll(service, 'Content-Length: 1000', [Buffer.from('some')])
    expect(answer)
      .to.match(/^HTTP\/1.1 408 /)
      .and.contain('ERR_BODY_TIMEOUT')
    expect(performance.now() - start)
      .to.be.greaterThan(1990)
      .and.lessThan(10_000)
  })

  it('whose client leaves half-way is logged as 499, and the service goes on', async () => {
    const { hostname, port } = new URL(service.url)
    const socket = connect(Number(port), hostname)
    socket.write('POST /model HTTP/1.1\r\nHost: x\r\nX-Request-Id: half\r\nContent-Length: 1000\r\n\r\nsome')
    await new Promise((resolve) => setTimeout(resolve, 100))
    socket.resetAndDestroy()
    expect((await fetch(`${service.url}/healthz`)).status).to.equal(200)
    const line = await until(
      () => service.logs.find(({ requestId, msg }) => requestId === 'half' && msg === 'request'),
      'the line of the request',
    )
    expect(line.status).to.equal(499)
  })
})

/** A client that reads only after it has written all it has, as the simplest ones do. */
function sendAll(service: Service, header: string, body: readonly Buffer[]): Promise<string> {
  const { hostname, port } = new URL(service.url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    let answer = ''
    socket.pause().once('error', reject)
    socket.once('close', () => resolve(answer))
    socket.write(`POST /model HTTP/1.1\r\nHost: x\r\n${header}\r\n\r\n`)
    const last = body.at(-1) ?? ''
    for (const chunk of body.slice(0, -1)) socket.write(chunk)
    socket.write(last, () =>
      socket
        .setEncoding('utf8')
        .on('data', (text) => (answer += text))
        .resume(),
    )
  })
}
