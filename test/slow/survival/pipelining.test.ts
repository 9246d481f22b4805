import { expect } from 'chai'
import { openSocket } from '../../support/open-socket.ts'
import { type Service, scripted, startService, until } from '../../support/service.ts'

const CONNECTIONS = 200
const REQUESTS = 32
/** Each connection has its turn before a newcomer, some of them twice. */
const MAX_BEFORE = 3 * CONNECTIONS

describe('Pipelined requests', () => {
  let service: Service
  before(async () => {
    service = await startService(scripted({ predictMs: 50 }))
    await service.ready()
  })
  after(() => service.stop())

  it(`on ${CONNECTIONS} connections, ${REQUESTS} on each, let a newcomer pass, and are all answered`, async () => {
    const requests = 'GET /docs HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(REQUESTS)
    const sockets = Array.from({ length: CONNECTIONS }, () => openSocket(service.url))
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))))
    const counts = sockets.map((socket) => answersOn(socket, REQUESTS))
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.write(requests, resolve))))
    expect((await fetch(`${service.url}/healthz`)).status).to.equal(200)
    expect(await Promise.all(counts)).to.deep.equal(Array(CONNECTIONS).fill(REQUESTS))
    const served = () => service.logs.filter(({ path }) => path === '/docs' || path === '/healthz')
    await until(() => served().length > CONNECTIONS * REQUESTS, 'all lines of the log')
    const before = served().findIndex(({ path }) => path === '/healthz')
    expect(before, 'answers before that of /healthz').to.be.below(MAX_BEFORE)
  }).timeout(60_000)

  it('are answered in their order, a prediction before a page', async () => {
    const post = 'POST /model HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello'
    const last = 'GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    const text = await all(`${post}GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n${post}${last}`)
    expect(text.match(/HTTP\/1\.1 \d+|"hello"|"status":"ok"/g)).to.deep.equal([
      'HTTP/1.1 200',
      '"hello"',
      'HTTP/1.1 200',
      '"status":"ok"',
      'HTTP/1.1 200',
      '"hello"',
      'HTTP/1.1 404',
    ])
  })

  it('behind an answer that closes the connection are not begun', async () => {
    // Without a body that is read, the answer says "Connection: close".
    const closing = 'GET /healthz HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n'
    const text = await all(`${closing}GET /behind HTTP/1.1\r\nHost: x\r\n\r\n`)
    expect(text.match(/HTTP\/1\.1 \d+/g)).to.deep.equal(['HTTP/1.1 200'])
    expect((await fetch(`${service.url}/healthz`)).status).to.equal(200)
    expect(service.logs.filter(({ path }) => path === '/behind')).to.deep.equal([])
  })

  for (const [title, request] of [
    ['more than 33 of them', 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(40)],
    [
      'more than 64 KB of headers',
      `GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(12_000)}\r\n\r\n`.repeat(8),
    ],
  ] as const) {
    it(`close the connection where ${title} wait`, async () => {
      const post = 'POST /model HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello'
      const text = await all(post + request)
      expect(text).not.to.match(/"status":"ok"/)
    })
  }

  /** Everything that comes until the service closes the connection. */
  function all(bytes: string): Promise<string> {
    return new Promise((resolve) => {
      const socket = openSocket(service.url)
      let text = ''
      socket.setEncoding('latin1').on('data', (chunk) => {
        text += chunk
      })
      socket.once('close', () => resolve(text))
      socket.write(bytes)
    })
  }
})

function answersOn(socket: ReturnType<typeof openSocket>, wanted: number): Promise<number> {
  return new Promise((resolve) => {
    let count = 0
    const done = () => {
      socket.destroy()
      resolve(count)
    }
    // A status line that two chunks share is not counted: the answers of /docs are longer than a chunk by then.
    let tail = ''
    socket.setEncoding('latin1').on('data', (chunk) => {
      const text = tail + chunk
      const found = text.match(/HTTP\/1\.1 200/g)?.length ?? 0
      count += found
      tail = text.slice(text.lastIndexOf('HTTP/1.1 200') + 12).slice(-11)
      if (count >= wanted) done()
    })
    socket.once('close', done)
  })
}
