import { IncomingMessage, ServerResponse } from 'node:http'
import { connect, Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import Koa from 'koa'
import type { Middleware, RequestState } from '../../../lib/http/context.ts'
import { describeError, HttpError } from '../../../lib/http/errors.ts'
import { rateLimit } from '../../../lib/middleware/rate-limit.ts'
import { type Service, scripted, startService } from '../../support/service.ts'

describe('RATE_LIMIT', () => {
  const key = 'first-key-0123456789'
  const otherKey = 'second-key-0123456789'
  const urls: Record<string, string> = {}
  // One request per minute; each test is a client of its own, or several.
  const from = (address: string, headers = {}) =>
    post(urlOf('one'), { 'X-Forwarded-For': address, ...headers })
  const statusFrom = async (address: string, headers = {}) => (await from(address, headers)).status
  const urlOf = (name: string) => urls[name] ?? ''
  let services: Service[]

  before(async () => {
    const settings: Record<string, Record<string, string>> = {
      off: {},
      one: { RATE_LIMIT: '1', TRUST_PROXY: '1' },
      sixty: { RATE_LIMIT: '60' },
      keys: { RATE_LIMIT: '1', API_KEYS: `${key},${otherKey}` },
    }
    services = await Promise.all(
      Object.entries(settings).map(async ([name, env]) => {
        const service = await startService({ ...scripted({}), ...env })
        await service.ready()
        urls[name] = service.url
        return service
      }),
    )
  })
  after(() => Promise.all(services.map((service) => service.stop())))

  it('lets a minute of requests through at once, then says when to come back, and keeps it', async () => {
    const url = urlOf('sixty')
    for (let left = 59; left > 56; left--) {
      const { status, headers } = await post(url)
      expect(status).to.equal(200)
      expect(headers.get('RateLimit-Limit')).to.equal('60')
      expect(Number(headers.get('RateLimit-Remaining'))).to.be.within(left, left + 2)
      expect(headers.get('RateLimit-Policy')).to.equal('60;w=60')
      expect(Number(headers.get('RateLimit-Reset'))).to.be.within(1, 60 - left)
    }
    let answer = await post(url)
    for (let sent = 4; answer.status === 200 && sent < 600; sent++) answer = await post(url)
    expect(answer.status).to.equal(429)
    expect(answer.headers.get('RateLimit-Remaining')).to.equal('0')
    expect(answer.headers.get('Retry-After')).to.equal('1')
    expect(((await answer.json()) as { error: { code: string } }).error.code).to.equal('ERR_RATE_LIMIT')
    await delay(1000)
    expect((await post(url)).status).to.equal(200)
  })

  it('does not count what only reads', async () => {
    await from('192.0.2.20')
    for (const path of ['/healthz', '/', '/metrics', '/nothing']) {
      const { status, headers } = await fetch(`${urlOf('one')}${path}`, {
        headers: { 'X-Forwarded-For': '192.0.2.20' },
      })
      expect(status).not.to.equal(429)
      expect(headers.has('RateLimit-Limit')).to.equal(false)
    }
    expect(await statusFrom('192.0.2.20')).to.equal(429)
  })

  it('is counted for each key, and not spent by requests without one', async () => {
    const url = urlOf('keys')
    expect((await post(url)).status).to.equal(401)
    expect((await post(url, { 'X-Api-Key': key })).status).to.equal(200)
    expect((await post(url, { Authorization: `Bearer ${key}` })).status).to.equal(429)
    expect((await post(url, { 'X-Api-Key': otherKey })).status).to.equal(200)
  })

  it('gives nobody more for keys that nobody asked for', async () => {
    expect(await statusFrom('192.0.2.30', { 'X-Api-Key': key })).to.equal(200)
    expect(await statusFrom('192.0.2.30', { 'X-Api-Key': otherKey })).to.equal(429)
  })

  it('is counted for each client behind a proxy, whole IPv6 networks as one', async () => {
    expect(await statusFrom('192.0.2.1')).to.equal(200)
    expect(await statusFrom('192.0.2.1')).to.equal(429)
    expect(await statusFrom('::ffff:192.0.2.1')).to.equal(429)
    expect(await statusFrom('::ffff:c000:201')).to.equal(429)
    expect(await statusFrom('192.0.2.1:40001')).to.equal(429)
    expect(await statusFrom('192.0.2.2')).to.equal(200)
    expect(await statusFrom('2001:db8:0:1::1')).to.equal(200)
    expect(await statusFrom('2001:db8:0:1:ffff::2')).to.equal(429)
    expect(await statusFrom('2001:db8:0:2::1')).to.equal(200)
  })

  it('takes all that is no address for the proxy itself', async () => {
    expect((await post(urlOf('one'))).status).to.equal(200)
    for (const garbage of [
      'unknown',
      'x'.repeat(8000),
      '999.1.1.1',
      '_hidden',
      '1.2.3',
      '[::1',
      '%',
      '0x7f.1',
    ])
      expect(await statusFrom(garbage), garbage).to.equal(429)
  })

  it('answers a client that sends 30 MB before it reads', async () => {
    await from('192.0.2.40')
    expect(await sendAll(urlOf('one'), '192.0.2.40', Buffer.alloc(30 * 2 ** 20)))
      .to.match(/^HTTP\/1.1 429 /)
      .and.match(/retry-after: \d+/i)
      .and.contain('ERR_RATE_LIMIT')
  })

  it('is off by default', async () => {
    const url = urlOf('off')
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(url)))
    for (const { status, headers } of answers) {
      expect(status).to.equal(200)
      expect(headers.has('RateLimit-Limit')).to.equal(false)
    }
  })
})

// The same middleware on Koa's own contexts, with a clock that the test sets.
describe('rateLimit(perMinute, now)', () => {
  for (const perMinute of [1, 7, 59, 60, 61, 600, 1234]) {
    it(`admits ${perMinute} per minute however they are spread, each when it was told to come`, async () => {
      const clock = { s: 1_000_000.123 }
      const ask = asker(rateLimit(perMinute, () => clock.s))
      for (let sent = 0; sent < perMinute; sent++) expect(await ask('192.0.2.1')).to.equal(0)
      for (let round = 0; round < 20; round++) {
        const wait = await ask('192.0.2.1')
        expect(wait).to.be.within(1, 60)
        clock.s += wait
        expect(await ask('192.0.2.1')).to.equal(0)
        while ((await ask('192.0.2.1')) === 0);
      }
      expect(await countAdmitted(ask, clock, perMinute)).to.be.within(perMinute - 1, perMinute + 1)
    })
  }

  it('takes nothing for what it refuses', async () => {
    const clock = { s: 0 }
    const ask = asker(rateLimit(1, () => clock.s))
    expect(await ask('192.0.2.1')).to.equal(0)
    for (; clock.s < 60; clock.s += 2) expect(await ask('192.0.2.1')).to.equal(60 - clock.s)
    expect(await ask('192.0.2.1')).to.equal(0)
  })

  it('remembers 50,000 clients, and forgets the one that was quiet the longest for the next', async () => {
    const ask = asker(rateLimit(1, () => 0))
    const client = (n: number) => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`
    for (let n = 0; n < 50_000; n++) expect(await ask(client(n))).to.equal(0)
    expect(await ask(client(1))).to.equal(60)
    expect(await ask(client(50_000))).to.equal(0)
    expect(await ask(client(1))).to.equal(60)
    expect(await ask(client(0))).to.equal(0)
  })
})

/** Sends ten times as fast as is allowed for a minute; the bucket is empty when it starts. */
async function countAdmitted(
  ask: (address: string) => Promise<number>,
  clock: { s: number },
  perMinute: number,
): Promise<number> {
  let admitted = 0
  for (let sent = 0; sent < perMinute * 10; sent++) {
    clock.s += 6 / perMinute
    if ((await ask('192.0.2.1')) === 0) admitted++
  }
  return admitted
}

/** A POST from an address: 0 when it is let through, else the seconds that it is told to wait. */
function asker(limit: Middleware): (address: string) => Promise<number> {
  const app = new Koa<RequestState>()
  const socket = new Socket()
  return async (address) => {
    const req = new IncomingMessage(socket)
    req.method = 'POST'
    const ctx = app.createContext(req, new ServerResponse(req))
    ctx.request.ip = address
    try {
      await limit(ctx, async () => {})
      return 0
    } catch (error) {
      expect(describeError(error).code).to.equal('ERR_RATE_LIMIT')
      return error instanceof HttpError ? Number(error.headers['Retry-After']) : Number.NaN
    }
  }
}

function post(url: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}/model`, { method: 'POST', headers, body: 'input' })
}

/** Writes everything before it reads, as the simplest clients do. */
function sendAll(url: string, address: string, body: Buffer): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(Number(port), hostname).setEncoding('utf8')
    socket.once('error', reject).once('close', () => resolve(answer))
    socket.on('data', (text) => (answer += text)).pause()
    const headers = `Host: x\r\nX-Forwarded-For: ${address}\r\nContent-Length: ${body.length}`
    socket.write(`POST /model HTTP/1.1\r\n${headers}\r\n\r\n`)
    socket.write(body, () => socket.resume())
  })
}
