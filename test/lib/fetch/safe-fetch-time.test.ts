import type { Socket } from 'node:net'
import { expect } from 'chai'
import { errorOf, until } from '../../support/broker.ts'
import { answer } from '../../support/raw-server.ts'
import { fetcher, never, serve, tidy } from '../../support/safe-fetch.ts'

/** Writes one byte of it every 20 ms, again and again. */
function drip(socket: Socket, text: string): void {
  let index = 0
  const timer = setInterval(() => socket.write(text.charAt(index++ % text.length)), 20)
  socket.once('close', () => clearInterval(timer))
}

describe('a server that takes its time', () => {
  after(tidy)

  const HEAD = 'HTTP/1.1 200 OK\r\n'
  const SLOW: Readonly<Record<string, (socket: Socket) => void>> = {
    'says nothing': () => {},
    'never ends its headers': (socket) => socket.write(`${HEAD}A: b\r\n`),
    'drips its headers': (socket) => drip(socket, HEAD + 'A: b\r\n'.repeat(100)),
    'drips 1xx answers': (socket) => drip(socket, 'HTTP/1.1 103 Early Hints\r\n\r\n'),
    'never sends its body': (socket) => socket.write(`${HEAD}Content-Length: 5\r\n\r\n`),
    'drips its body': (socket) => {
      socket.write(`${HEAD}\r\n`)
      drip(socket, 'abc')
    },
    'drips the extension of a chunk': (socket) => {
      socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n5;`)
      drip(socket, 'abc')
    },
    'never ends its chunks': (socket) =>
      socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n`),
  }
  for (const [what, request] of Object.entries(SLOW)) {
    it(`and ${what} is disconnected when the time of the download is over`, async () => {
      const server = await serve({ request })
      const start = performance.now()
      const error = await errorOf(
        fetcher(server.port, { fetchTimeoutMs: 200 })(`http://a.example.org:${server.port}/`, never()),
      )
      expect(error.code).to.equal('ERR_URL_TIMEOUT')
      expect(error.message).to.contain('within 200 ms')
      expect(performance.now() - start)
        .to.be.greaterThan(190)
        .and.lessThan(1000)
      await until(() => server.open() === 0, 1000, 'its connection is closed')
    })
  }

  it('has one time for all its redirects', async () => {
    const server = await serve({
      request: (socket) => setTimeout(() => socket.end(answer('302 Found', ['Location: /'])), 150),
    })
    const safeFetch = fetcher(server.port, { fetchTimeoutMs: 250 })
    const error = await errorOf(safeFetch(`http://a.example.org:${server.port}/`, never()))
    expect(error.code).to.equal('ERR_URL_TIMEOUT')
    expect(server.heads).to.have.length(2)
  })

  it('counts the DNS lookup in that time too', async () => {
    const safeFetch = fetcher(80, { fetchTimeoutMs: 100 }, () => new Promise<never>(() => {}))
    expect((await errorOf(safeFetch('http://a.example.org/', never()))).code).to.equal('ERR_URL_TIMEOUT')
  })

  it('has 3 s to accept the connection and 5 s to begin the answer, however long the download may take', async () => {
    const server = await serve({ request: (socket) => drip(socket, HEAD + 'A: b\r\n'.repeat(100)) })
    const safeFetch = fetcher(server.port, { fetchTimeoutMs: 60_000 })
    const start = performance.now()
    const outcome = async (origin: string) => {
      const { code, message } = await errorOf(safeFetch(`${origin}.example.org:${server.port}/`, never()))
      return { code, message, ms: performance.now() - start }
    }
    // Nobody answers the greeting of TLS there.
    const [connecting, answering] = await Promise.all([outcome('https://a'), outcome('http://b')])
    expect(connecting.code).to.equal('ERR_URL_TIMEOUT')
    expect(connecting.ms).to.be.within(2990, 4900)
    expect(connecting.message).to.contain('accept the connection within 3000 ms')
    expect(answering.code).to.equal('ERR_URL_TIMEOUT')
    expect(answering.ms).to.be.within(4990, 8000)
    expect(answering.message).to.contain('answer within 5000 ms')
  })
})
