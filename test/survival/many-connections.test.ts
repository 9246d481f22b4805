import type { Socket } from 'node:net'
import { expect } from 'chai'
import { openSocket } from '../support/open-socket.ts'
import { type Service, scripted, startService, until } from '../support/service.ts'

const MAX = 100
/** Closed after ten seconds; the rest is for a busy machine. */
const SILENCE_MS = 20_000

describe('Many connections', () => {
  let service: Service
  const open = new Set<Socket>()
  before(async () => {
    service = await startService({
      ...scripted({ predictMs: 3000 }),
      MAX_CONNECTIONS: String(MAX),
      MAX_CONNECTIONS_PER_IP: String(MAX),
    })
    await service.ready()
  })
  afterEach(async () => {
    for (const socket of open) socket.destroy()
    await until(() => open.size === 0, 'the end of all connections')
  })
  after(() => service.stop())

  it('that send nothing are closed after ten seconds', async () => {
    const start = performance.now()
    const ends = await Promise.all((await connections(MAX / 2)).map(ended))
    expect(performance.now() - start).to.be.within(9000, SILENCE_MS)
    expect(ends.join(''), 'what came').to.equal('')
  }).timeout(SILENCE_MS + 10_000)

  it(`up to MAX_CONNECTIONS and twice as many that send nothing shut nobody out`, async () => {
    for (let i = 0; i < 4; i++) {
      await connections(MAX / 2)
      expect((await ask()).slice(0, 12), `after ${(i + 1) * (MAX / 2)} of them`).to.equal('HTTP/1.1 200')
    }
    expect(open.size).to.be.at.most(MAX)
    const warned = () => service.logs.find(({ msg }) => msg.startsWith('too many connections'))
    expect(await until(warned, 'the warning')).to.include({ level: 40 })
  })

  it('that are idle are closed in the order in which they became idle, and never one with a request', async () => {
    const [busy, first, second, ...others] = await connections(MAX - 10)
    const last = others.pop()
    if (!busy || !first || !second || !last) throw new Error('there are too few connections')
    // The system accepts connections before the service does, and the service accepts them in their order.
    await askOn(last)
    const answer = new Promise((resolve) => busy.once('data', resolve))
    busy.write('POST /model HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nslow')
    await askOn(first)
    await connections(20)
    const closed = () => others.filter(({ destroyed }) => destroyed).length
    await until(() => closed() >= 10, 'the end of those that were idle for longest')
    expect(second.destroyed, 'the one that was idle for longest').to.equal(true)
    expect(first.destroyed, 'the one that had an answer last').to.equal(false)
    expect(busy.destroyed, 'the one with a request').to.equal(false)
    expect(closed(), 'no more than needed').to.be.at.most(20)
    expect(String(await answer)).to.match(/^HTTP\/1.1 200/)
  }).timeout(20_000)

  async function connections(count: number): Promise<Socket[]> {
    const sockets = Array.from({ length: count }, () => openSocket(service.url).resume())
    for (const socket of sockets) {
      open.add(socket)
      socket.once('close', () => open.delete(socket))
    }
    await Promise.all(sockets.map(connected))
    return sockets
  }

  /** A newcomer, on a connection of its own. */
  async function ask(): Promise<string> {
    const socket = openSocket(service.url)
    socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    return ended(socket)
  }
})

/** Only Linux has all of 127.0.0.0/8 as its own addresses. */
const describeOnLinux = process.platform === 'linux' ? describe : describe.skip

describeOnLinux('Connections of one address', () => {
  const share = 20
  const start = (env: Record<string, string>) =>
    startService({ ...scripted({ predictMs: 4000 }), DRAIN_TIMEOUT_MS: '0', ...env })

  for (const [title, env] of [
    ['MAX_CONNECTIONS_PER_IP', { MAX_CONNECTIONS_PER_IP: String(share) }],
    ['half of MAX_CONNECTIONS where it is unset', { MAX_CONNECTIONS: String(2 * share) }],
  ] as const) {
    it(`with requests are at most as many as ${title}; another address has its own share`, async () => {
      const service = await start(env)
      await service.ready()
      const busy = await requests(service, share, '127.0.0.2')
      expect(await requests(service, 5, '127.0.0.2'), 'beyond the share').to.deep.equal([])
      expect((await fetch(`${service.url}/healthz`)).status).to.equal(200)
      for (const socket of busy) expect(socket.destroyed).to.equal(false)
      await service.stop()
    })
  }

  it('that are idle make room for new ones of this address alone', async () => {
    const service = await start({ MAX_CONNECTIONS_PER_IP: String(share) })
    const other = openSocket(service.url, '127.0.0.3')
    const idle = Array.from({ length: share }, () => openSocket(service.url, '127.0.0.2'))
    await Promise.all(idle.map(connected))
    const late = openSocket(service.url, '127.0.0.2')
    late.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
    expect(String(await new Promise((resolve) => late.once('data', resolve)))).to.match(/^HTTP\/1.1 200/)
    await until(() => idle.filter(({ destroyed }) => destroyed).length === 1, 'the end of one of them')
    expect(other.destroyed).to.equal(false)
    for (const socket of [other, late, ...idle]) socket.destroy()
    await service.stop()
  })

  it('behind a proxy are the connections of all clients: no share applies', async () => {
    const service = await start({ MAX_CONNECTIONS_PER_IP: String(share), TRUST_PROXY: '1' })
    await service.ready()
    expect(await requests(service, 2 * share, '127.0.0.2')).to.have.length(2 * share)
    await service.stop()
  })
})

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('connect', resolve).once('close', () => resolve()))
}

async function askOn(socket: Socket): Promise<void> {
  socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
  await new Promise((resolve) => socket.once('data', resolve))
}

/** Everything that comes until the service closes the connection. */
function ended(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.once('close', () => resolve(text))
  })
}

/** Connections with a request that takes seconds; without those that were refused. */
async function requests({ url }: Service, count: number, from: string): Promise<Socket[]> {
  const head = 'POST /model HTTP/1.1\r\nHost: x\r\nAccept: application/x-ndjson\r\n'
  const sockets = Array.from({ length: count }, () => openSocket(url, from))
  for (const socket of sockets) socket.write(`${head}Content-Length: 4\r\n\r\nslow`)
  const taken = await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<boolean>((resolve) => {
          socket.once('data', () => resolve(true)).once('close', () => resolve(false))
        }),
    ),
  )
  return sockets.filter((_, index) => taken[index])
}
