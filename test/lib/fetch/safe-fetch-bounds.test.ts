import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import type { SafeFetch } from '../../../lib/fetch/safe-fetch.ts'
import { codeOf, errorOf, until } from '../../support/broker.ts'
import { answer, type RawServer } from '../../support/raw-server.ts'
import { fetcher, never, serve, tidy } from '../../support/safe-fetch.ts'

const PICTURE = answer('200 OK', [], 'picture')

/** A server whose requests wait until the test answers them, by path. */
async function patient() {
  const waiting = new Map<string, Socket>()
  const server = await serve({
    request: (socket, head) => waiting.set(/^GET \/(\S*)/.exec(head)?.[1] ?? '', socket),
  })
  const paths = () => server.heads.map((head) => /^GET \/(\S*)/.exec(head)?.[1])
  return {
    server,
    paths,
    asked: (count: number) => until(() => paths().length === count, 2000, `${count} requests`),
    reply: (path: string) => waiting.get(path)?.end(PICTURE),
  }
}

describe('downloads at a time', () => {
  afterEach(tidy)

  it('are bounded in all and per host, and waiting downloads start in order', async () => {
    const { server, paths, asked, reply } = await patient()
    const safeFetch = fetcher(server.port, { maxFetches: 3, maxFetchesPerHost: 2 })
    const get = (host: string, path: string) =>
      safeFetch(`http://${host}.example.org:${server.port}/${path}`, never())
    const all = ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1'].map((path) => get(path.slice(0, 1), path))
    await asked(3)
    await delay(50)
    expect(paths()).to.deep.equal(['a1', 'a2', 'b1'])
    // b2 came before c1, and a3 before both; but a is full until one of its own has left.
    reply('b1')
    await asked(4)
    reply('a1')
    await asked(5)
    reply('a2')
    await asked(6)
    expect(paths().slice(3)).to.deep.equal(['b2', 'a3', 'a4'])
    for (const path of ['b2', 'a3', 'a4']) reply(path)
    await asked(7)
    reply('c1')
    expect((await Promise.all(all)).map(String)).to.deep.equal(Array(7).fill('picture'))
  })

  it('are counted for "a.example.org." as for "A.example.org"', async () => {
    const { server, paths, asked, reply } = await patient()
    const safeFetch = fetcher(server.port, { maxFetchesPerHost: 1 })
    const all = ['a', 'A', 'a.'].map((host, index) =>
      safeFetch(
        `http://${host.replace('.', '')}.example.org${host.slice(1)}:${server.port}/${index}`,
        never(),
      ),
    )
    for (const count of [1, 2, 3]) {
      await asked(count)
      await delay(20)
      expect(paths()).to.have.length(count)
      reply(String(count - 1))
    }
    await Promise.all(all)
  })

  it('of a slow host neither delay those of other hosts nor fill the queue', async () => {
    const { server, asked, reply } = await patient()
    const quick = await serve({ request: (socket) => socket.end(PICTURE) })
    const safeFetch = fetcher(server.port, { urlPorts: [server.port, quick.port] })
    const leave = new AbortController()
    // 2 of them run, and 8 wait: half of 4 for each of the 4 slots.
    const slow = Array.from({ length: 10 }, (_, path) =>
      codeOf(safeFetch(`http://slow.example.org:${server.port}/${path}`, leave.signal)),
    )
    await asked(2)
    const error = await errorOf(safeFetch(`http://slow.example.org:${server.port}/`, never()))
    expect(error.code).to.equal('ERR_QUEUE_FULL')
    expect(error.message).to.contain('8 of this host')
    expect(String(await safeFetch(`http://quick.example.org:${quick.port}/`, never()))).to.equal('picture')
    leave.abort(Object.assign(new Error('left'), { code: 'LEFT' }))
    expect(await Promise.all(slow)).to.deep.equal(Array(10).fill('LEFT'))
    const next = safeFetch(`http://slow.example.org:${server.port}/next`, never())
    await asked(3)
    reply('next')
    await next
  })

  it('beyond the queue are refused at once', async () => {
    const { server, asked } = await patient()
    const safeFetch = fetcher(server.port, { maxFetches: 1, fetchTimeoutMs: 300 })
    const codes = Array.from({ length: 7 }, (_, index) =>
      codeOf(safeFetch(`http://h${index}.example.org:${server.port}/`, never())),
    )
    await asked(1)
    expect(await Promise.race([codes[5], codes[6]])).to.equal('ERR_QUEUE_FULL')
    // The first and the four that wait for it; their waiting counts as time.
    expect(await Promise.all(codes)).to.deep.equal([
      ...Array(5).fill('ERR_URL_TIMEOUT'),
      ...Array(2).fill('ERR_QUEUE_FULL'),
    ])
  })

  it('hold no more bytes together than allowed, and release the bytes afterwards', async () => {
    const half = Buffer.alloc(100_000)
    const { server, asked } = await (async () => {
      const server = await serve({
        request(socket, head) {
          const whole = head.startsWith('GET /whole')
          socket.write(answer('200 OK', [], half).subarray(0, whole ? undefined : -10))
        },
      })
      return {
        server,
        asked: (count: number) => until(() => server.heads.length === count, 2000, 'requests'),
      }
    })()
    const safeFetch = fetcher(server.port, { maxQueueBytes: 150_000 })
    const url = `http://a.example.org:${server.port}`
    for (let round = 0; round < 3; round++) {
      const leave = new AbortController()
      const first = codeOf(safeFetch(`${url}/half`, leave.signal))
      await asked(3 * round + 1)
      await delay(30)
      expect(await codeOf(safeFetch(`${url}/whole`, never()))).to.equal('ERR_QUEUE_FULL')
      leave.abort(Object.assign(new Error('left'), { code: 'LEFT' }))
      expect(await first).to.equal('LEFT')
      expect(await safeFetch(`${url}/whole`, never())).to.have.length(half.length)
    }
  })

  it('that were aborted cannot pile up DNS lookups', async () => {
    let lookups = 0
    const resolve = () => {
      lookups++
      return new Promise<never>(() => {})
    }
    const safeFetch = fetcher(80, { maxFetches: 2 }, resolve)
    for (let index = 0; index < 8; index++) {
      const leave = new AbortController()
      const error = errorOf(safeFetch(`http://h${index}.example.org/`, leave.signal))
      await until(() => lookups === index + 1, 1000, 'the lookup')
      leave.abort()
      expect(await error).to.equal(leave.signal.reason)
    }
    expect(await codeOf(safeFetch('http://a.example.org/', never()))).to.equal('ERR_QUEUE_FULL')
    expect(lookups).to.equal(8)
  })
})

describe('the signal of a download', () => {
  afterEach(tidy)

  type Stage = readonly [string, string, (server: RawServer, lookups: () => number) => boolean]
  const STAGES: readonly Stage[] = [
    ['resolving', 'http://never', (_server, lookups) => lookups() === 1],
    ['shaking hands', 'https://a', (server) => server.connections() === 1],
    ['waiting for headers', 'http://a', ({ heads }) => heads.length === 1],
    ['receiving', 'http://body', ({ heads }) => heads.length === 1],
    ['redirected', 'http://redirect', ({ heads }) => heads.length === 2],
  ]
  for (const [stage, origin, reached] of STAGES) {
    it(`ends it at once while it is ${stage}, with the reason, and frees its slot`, async () => {
      const server = await serve({
        request(socket, head) {
          if (head.includes('host: body')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc')
          if (head.startsWith('GET / ') && head.includes('host: redirect')) {
            socket.end(answer('302 Found', ['Location: /then']))
          }
          if (head.includes('host: good')) socket.end(PICTURE)
        },
      })
      let lookups = 0
      const resolve = async (host: string) => {
        lookups++
        return host.startsWith('never') ? new Promise<never>(() => {}) : ['127.0.0.1']
      }
      const safeFetch = fetcher(server.port, { maxFetches: 1, maxFetchesPerHost: 1 }, resolve)
      const leave = new AbortController()
      const error = errorOf(safeFetch(`${origin}.example.org:${server.port}/`, leave.signal))
      await until(() => reached(server, () => lookups), 1000, stage)
      await delay(20)
      const waiting = new AbortController()
      const waiter = errorOf(safeFetch(`http://good.example.org:${server.port}/`, waiting.signal))
      waiting.abort(new Error('no patience'))
      expect((await waiter).message).to.equal('no patience')

      const start = performance.now()
      leave.abort(new Error('gone'))
      expect((await error).message).to.equal('gone')
      expect(performance.now() - start).to.be.lessThan(500)
      await until(() => server.open() === 0, 1000, 'the connection is closed')
      expect(String(await safeFetch(`http://good.example.org:${server.port}/`, never()))).to.equal('picture')
    })
  }

  it('that is aborted already prevents the download', async () => {
    const signal = AbortSignal.abort(new Error('too late'))
    expect((await errorOf(fetcher(80)('http://a.example.org/', signal))).message).to.equal('too late')
  })

  it('keeps no listener of a download that is over', async () => {
    const server = await serve({ request: (socket) => socket.end(PICTURE) })
    const { signal } = new AbortController()
    let listeners = 0
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++
      add(...args)
    }
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--
      remove(...args)
    }
    const safeFetch = fetcher(server.port)
    await safeFetch(`http://a.example.org:${server.port}/`, signal)
    await errorOf(safeFetch(`http://a.test:${server.port}/`, signal))
    expect(listeners).to.equal(0)
  })
})

describe('closing', () => {
  afterEach(tidy)

  it('ends running and waiting downloads, refuses new ones, and can be done twice', async () => {
    const { server, asked } = await patient()
    const safeFetch: SafeFetch = fetcher(server.port, { maxFetchesPerHost: 1 })
    const url = `http://a.example.org:${server.port}/`
    const codes = [1, 2].map(() => codeOf(safeFetch(url, never())))
    await asked(1)
    await safeFetch.close()
    await safeFetch.close()
    expect(await Promise.all(codes)).to.deep.equal(['ERR_NOT_READY', 'ERR_NOT_READY'])
    expect(await codeOf(safeFetch(url, never()))).to.equal('ERR_NOT_READY')
    await until(() => server.open() === 0, 1000, 'the connection is closed')
  })
})
