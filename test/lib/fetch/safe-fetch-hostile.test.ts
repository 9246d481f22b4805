import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { ask } from '../../../lib/fetch/ask.ts'
import { codeOf, errorOf, until } from '../../support/broker.ts'
import { answer } from '../../support/raw-server.ts'
import { fetcher, never, SENTENCE, serve, tidy } from '../../support/safe-fetch.ts'

const OK = 'HTTP/1.1 200 OK\r\n'
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`
const MOST = 2 ** 20

describe('a hostile server', () => {
  const surprises: unknown[] = []
  const note = (error: unknown) => surprises.push(error)

  before(() => {
    process.on('uncaughtExceptionMonitor', note).on('unhandledRejection', note).on('warning', note)
  })
  after(async () => {
    process.off('uncaughtExceptionMonitor', note).off('unhandledRejection', note).off('warning', note)
  })
  afterEach(async () => {
    await tidy()
    // What fails late fails after its promise is settled.
    await delay(20)
    expect(surprises).to.deep.equal([])
  })

  /** Writes the same thing for as long as anybody takes it, and counts the bytes. */
  function flood(first: string, again: Buffer) {
    const sent = { bytes: 0 }
    const request = (socket: Socket) => {
      const more = () => {
        while (!socket.destroyed) {
          sent.bytes += again.length
          if (!socket.write(again)) return
        }
      }
      socket.on('drain', more).write(first)
      more()
    }
    return { sent, request }
  }

  const ANSWERS: Readonly<Record<string, readonly string[]>> = {
    'sends no HTTP': [
      'garbage\r\n\r\n',
      '\0\0\0\0',
      'SSH-2.0-OpenSSH_9.6\r\n',
      '<html>',
      'HTTP/9.9 200 OK\r\n\r\n',
      'HTTP/1.1 99999 OK\r\n\r\n',
      'HTTP/1.1 200 OK\r\nno colon\r\n\r\n',
      'HTTP/1.1 200 OK\r\nA: \0\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    ],
    'sends nothing or half of it': [
      '',
      'HTTP/1.1',
      OK,
      `${OK}Content-Length: 100\r\n\r\nshort`,
      `${CHUNKED}5\r\nab`,
      `${CHUNKED}5\r\nabcde\r\n`,
    ],
    'contradicts itself': [
      `${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef`,
      `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n`,
      `${OK}Content-Length: -5\r\n\r\nabcde`,
      `${OK}Content-Length: 99999999999999999999999\r\n\r\nabcde`,
      `${OK}Content-Length: 0x5\r\n\r\nabcde`,
      `${CHUNKED}ffffffffffffffffff\r\nabc`,
      `${CHUNKED}zz\r\nabc`,
    ],
    'wants something else': [
      'HTTP/1.1 100 Continue\r\n\r\n',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nabc',
      `${OK}Connection: upgrade\r\nUpgrade: h2c\r\n\r\n`,
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    ],
    'has large headers': [
      `${OK}A: ${'a'.repeat(20_000)}\r\nContent-Length: 1\r\n\r\na`,
      `${OK}${'A: aaaaaaaa\r\n'.repeat(2000)}Content-Length: 1\r\n\r\na`,
      `${OK}${'a'.repeat(20_000)}: a\r\nContent-Length: 1\r\n\r\na`,
    ],
  }
  for (const [what, answers] of Object.entries(ANSWERS)) {
    it(`that ${what} fails its own download only`, async () => {
      const server = await serve({
        request: (socket, _head, index) => socket.end(answers[index] ?? '', 'latin1'),
      })
      const safeFetch = fetcher(server.port)
      for (const text of answers) {
        const error = await errorOf(safeFetch(`http://a.example.org:${server.port}/`, never()))
        expect([error.code, error.message], text.slice(0, 80)).to.deep.equal(['ERR_URL_FETCH', SENTENCE])
        expect(error.cause).to.be.an('error')
      }
      await until(() => server.open() === 0, 1000, 'its connections are closed')
    })
  }

  it('that talks or leaves before it is asked fails its own download only', async () => {
    const early: ((socket: Socket) => unknown)[] = [
      (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na'),
      (socket) => socket.write('garbage'),
      (socket) => socket.end(),
      (socket) => socket.destroy(),
      (socket) => socket.resetAndDestroy(),
    ]
    for (const connection of early) {
      const server = await serve({ connection })
      const url = `http://a.example.org:${server.port}/`
      const outcome = await fetcher(server.port)(url, never()).then(String, ({ code }) => code as string)
      expect(outcome).to.be.oneOf(['ERR_URL_FETCH', 'a'])
      expect(server.connections()).to.equal(1)
    }
  })

  it('that closes the connection before the request is not connected to again', async () => {
    const server = await serve({})
    const socket = connect(server.port, '127.0.0.1').on('error', () => {})
    await once(socket, 'connect')
    socket.destroy()
    const limits = { maxBodyBytes: MOST, memory: { maxBytes: MOST, heldBytes: 0 } }
    const error = await errorOf(ask(new URL(`http://127.0.0.1:${server.port}/`), socket, limits, never()))
    expect(error.message).to.equal('closed before the request was sent')
    expect(server.connections()).to.equal(1)
  })

  it('that resets the connection amid the body fails its own download only', async () => {
    for (const head of [`${OK}Content-Length: 100\r\n\r\n`, CHUNKED, `${OK}\r\n`]) {
      const server = await serve({
        request: (socket) =>
          socket.write(`${head}2\r\nab\r\n`, () => setTimeout(() => socket.resetAndDestroy(), 20)),
      })
      const url = `http://a.example.org:${server.port}/`
      expect(await codeOf(fetcher(server.port)(url, never())), head).to.equal('ERR_URL_FETCH')
    }
  })

  it('that sends more than its Content-Length is read only up to this length', async () => {
    const server = await serve({
      request: (socket) => socket.write(`${OK}Content-Length: 7\r\n\r\npicture${'more'.repeat(1000)}`),
    })
    const body = await fetcher(server.port)(`http://a.example.org:${server.port}/`, never())
    expect(String(body)).to.equal('picture')
    await until(() => server.open() === 0, 1000, 'its connection is closed')
  })

  it('that announces too much is disconnected after the headers', async () => {
    const server = await serve({
      request: (socket) => socket.write(`${OK}Content-Length: 10000000000\r\n\r\n`),
    })
    const error = await errorOf(fetcher(server.port)(`http://a.example.org:${server.port}/`, never()))
    expect(error.code).to.equal('ERR_URL_TOO_LARGE')
    expect(error.message).to.contain(String(MOST))
    await until(() => server.open() === 0, 1000, 'its connection is closed')
  })

  for (const [what, head, again] of [
    ['without end', `${OK}\r\n`, Buffer.alloc(2 ** 16)],
    [
      'in chunks without end',
      CHUNKED,
      Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(2 ** 16), Buffer.from('\r\n')]),
    ],
  ] as const) {
    it(`that sends ${what} is stopped at the largest size`, async () => {
      const { sent, request } = flood(head, again)
      const server = await serve({ request })
      const error = await errorOf(fetcher(server.port)(`http://a.example.org:${server.port}/`, never()))
      expect(error.code).to.equal('ERR_URL_TOO_LARGE')
      await until(() => server.open() === 0, 1000, 'its connection is closed')
      // What the buffers of both ends take in is sent, if not received.
      expect(sent.bytes)
        .to.be.greaterThan(MOST - 1)
        .and.lessThan(16 * MOST)
    })
  }

  it('may send exactly as much as is allowed, and not a byte more', async () => {
    const server = await serve({
      request: (socket, _head, index) =>
        socket.end(Buffer.concat([Buffer.from(`${OK}\r\n`), Buffer.alloc(MOST + index)])),
    })
    const safeFetch = fetcher(server.port)
    const url = `http://a.example.org:${server.port}/`
    expect(await safeFetch(url, never())).to.have.length(MOST)
    expect(await codeOf(safeFetch(url, never()))).to.equal('ERR_URL_TOO_LARGE')
  })

  const FLOODS: Readonly<Record<string, readonly [string, string]>> = {
    '1xx answers': ['', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
    '100 Continue': ['', 'HTTP/1.1 100 Continue\r\n\r\n'],
    headers: [OK, 'A: aaaaaaaaaaaa\r\n'],
    'one header': [`${OK}A: `, 'a'.repeat(1000)],
    'an extension of a chunk': [`${CHUNKED}5;a=`, 'a'.repeat(1000)],
    'extensions of chunks': [CHUNKED, `5;${'a'.repeat(1000)}\r\nabcde\r\n`],
    'chunks of one byte': [CHUNKED, '1\r\na\r\n'.repeat(100)],
    trailers: [`${CHUNKED}1\r\na\r\n0\r\n`, 'A: aaaaaaaaaaaa\r\n'],
    'empty lines': ['', '\r\n'.repeat(1000)],
  }
  for (const [what, [first, again]] of Object.entries(FLOODS)) {
    it(`that sends a flood of ${what} is cut off long before its time is over`, async () => {
      const { sent, request } = flood(first, Buffer.from(again.repeat(Math.ceil(4096 / again.length))))
      const server = await serve({ request })
      const start = performance.now()
      const code = await codeOf(fetcher(server.port)(`http://a.example.org:${server.port}/`, never()))
      expect(code).to.equal('ERR_URL_FETCH')
      expect(performance.now() - start).to.be.lessThan(3000)
      await until(() => server.open() === 0, 1000, 'its connection is closed')
      expect(sent.bytes).to.be.lessThan(16 * MOST)
    })
  }

  it('does no harm to the download after it', async () => {
    const server = await serve({
      request: (socket, _head, index) =>
        socket.end(index === 0 ? 'garbage' : answer('200 OK', [], 'picture')),
    })
    const safeFetch = fetcher(server.port, { maxFetches: 1, maxFetchesPerHost: 1 })
    const url = `http://a.example.org:${server.port}/`
    const [first, second] = await Promise.all([codeOf(safeFetch(url, never())), safeFetch(url, never())])
    expect([first, String(second)]).to.deep.equal(['ERR_URL_FETCH', 'picture'])
  })
})
