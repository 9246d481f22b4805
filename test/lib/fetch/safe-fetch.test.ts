import { expect } from 'chai'
import { createSafeFetch } from '../../../lib/fetch/safe-fetch.ts'
import { errorOf } from '../../support/broker.ts'
import { answer } from '../../support/raw-server.ts'
import { fetcher, never, SENTENCE, serve, tidy } from '../../support/safe-fetch.ts'

const PICTURE = Buffer.alloc(300_000, 'picture')

describe('a download', () => {
  afterEach(tidy)

  it('returns the bytes, whether sent with a length, in chunks, or until the connection closes', async () => {
    const head = 'HTTP/1.1 200 OK\r\n'
    const chunk = Buffer.concat([Buffer.from('186a0\r\n'), PICTURE.subarray(0, 100_000), Buffer.from('\r\n')])
    const chunks = Buffer.concat([
      ...[`${head}Transfer-Encoding: chunked\r\n\r\n`].map((text) => Buffer.from(text)),
      chunk,
      ...[100_000, 200_000].map((at) =>
        Buffer.concat([Buffer.from('186a0\r\n'), PICTURE.subarray(at, at + 100_000), Buffer.from('\r\n')]),
      ),
      Buffer.from('0\r\n\r\n'),
    ])
    const answers = [
      answer('200 OK', [], PICTURE),
      chunks,
      Buffer.concat([Buffer.from(`${head}\r\n`), PICTURE]),
      Buffer.concat([Buffer.from('HTTP/1.0 200 OK\r\n\r\n'), PICTURE]),
    ]
    const server = await serve({ request: (socket, _head, index) => socket.end(answers[index] ?? '') })
    const safeFetch = fetcher(server.port)
    for (const _answer of answers) {
      const body = await safeFetch(`http://a.example.org:${server.port}/`, never())
      expect(body.equals(PICTURE)).to.equal(true)
      // A slice of something larger would be copied whole on its way to the model.
      expect(body.buffer.byteLength).to.equal(body.length)
    }
  })

  it('sends its own User-Agent, accepts pictures, sends no cookies, and uses each connection once', async () => {
    const server = await serve({
      request: (socket) => socket.write(answer('200 OK', ['Set-Cookie: a=b'], 'picture')),
    })
    const safeFetch = fetcher(server.port)
    for (const path of ['/one', '/two']) {
      await safeFetch(`http://a.example.org:${server.port}${path}`, never())
    }
    expect(server.connections()).to.equal(2)
    const [, second = ''] = server.heads
    const lines = second.trim().toLowerCase().split('\r\n').sort()
    expect(lines.filter((line) => !line.startsWith('user-agent'))).to.deep.equal([
      'accept-encoding: identity',
      'accept: image/*',
      'connection: close',
      'get /two http/1.1',
      `host: a.example.org:${server.port}`,
    ])
    expect(second).to.match(/user-agent: Tandem\/\d+\.\d+\.\d+/i)
  })

  it('ignores proxy variables of the environment', async () => {
    const proxy = await serve({})
    const server = await serve({ request: (socket) => socket.end(answer('200 OK', [], 'picture')) })
    const before = process.env.http_proxy
    process.env.http_proxy = `http://127.0.0.1:${proxy.port}`
    try {
      await fetcher(server.port)(`http://a.example.org:${server.port}/`, never())
    } finally {
      if (before === undefined) delete process.env.http_proxy
      else process.env.http_proxy = before
    }
    expect(proxy.connections()).to.equal(0)
  })

  it('fails for every status but 200, and says which', async () => {
    const statuses = [
      '204 No Content',
      '206 Partial',
      '304 Not Modified',
      '404 Not Found',
      '500 Oh',
      '999 What',
    ]
    const server = await serve({
      request: (socket, _head, index) => socket.end(answer(statuses[index] ?? '', [], 'x')),
    })
    const safeFetch = fetcher(server.port)
    for (const status of statuses) {
      const error = await errorOf(safeFetch(`http://a.example.org:${server.port}/`, never()))
      expect(error.code).to.equal('ERR_URL_STATUS')
      expect(error.message).to.contain(status.slice(0, 3))
    }
  })

  it('fails when the body is encoded or empty', async () => {
    const answers = [
      answer('200 OK', ['Content-Encoding: gzip'], 'x'),
      answer('200 OK', ['Content-Encoding: identity, br'], 'x'),
      answer('200 OK', ['Content-Encoding: identity', 'Content-Encoding: gzip'], 'x'),
      answer('200 OK'),
      Buffer.from('HTTP/1.1 200 OK\r\n\r\n'),
      Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
    ]
    const server = await serve({ request: (socket, _head, index) => socket.end(answers[index] ?? '') })
    const safeFetch = fetcher(server.port)
    for (const _answer of answers) {
      const error = await errorOf(safeFetch(`http://a.example.org:${server.port}/`, never()))
      expect([error.code, error.message]).to.deep.equal(['ERR_URL_FETCH', SENTENCE])
    }
    const plain = await serve({
      request: (socket) => socket.end(answer('200 OK', ['Content-Encoding: Identity'], 'x')),
    })
    expect(String(await fetcher(plain.port)(`http://a.example.org:${plain.port}/`, never()))).to.equal('x')
  })
})

describe('the address of an image', () => {
  const WRONG: readonly (readonly [string, RegExp])[] = [
    ['', /must be a URL/],
    ['picture.png', /must be a URL, but is "picture.png"/],
    ['/picture.png', /must be a URL/],
    ['http://', /must be a URL/],
    ['http://[::1', /must be a URL/],
    ['http://256.256.256.256/', /must be a URL/],
    ['http://a.example.org:99999/', /must be a URL/],
    ['file:///etc/passwd', /http:\/\/ or https:\/\/, but begins with "file:"/],
    ['ftp://a.example.org/', /begins with "ftp:"/],
    ['data:image/png;base64,AAAA', /begins with "data:"/],
    ['javascript:alert(1)', /begins with "javascript:"/],
    ['gopher://a.example.org:80/', /begins with "gopher:"/],
    ['http://user@a.example.org/', /no user name and no password/],
    ['http://user:secret@a.example.org/', /no user name and no password/],
    ['http://:secret@a.example.org/', /no user name and no password/],
    ['http://a.example.org:22/', /port .* one of 80, 443, but is 22/],
    ['https://a.example.org:8443/', /but is 8443/],
    ['http://a..example.org/', /must name a host, but names "a\.\.example\.org"/],
    ['http://a.example.org../', /must name a host/],
    ['http://127.0.0.1../', /must name a host/],
    ['http://./', /must name a host/],
    ['http://a!b.example.org/', /must name a host/],
    [`http://${'a'.repeat(64)}.example.org/`, /must name a host/],
    [`http://${'a.'.repeat(126)}example.org/`, /must name a host/],
    [`http://a.example.org/${'a'.repeat(2028)}`, /at most 2048 characters, but has 2049/],
  ]
  for (const [url, reason] of WRONG) {
    it(`is refused before anything is done when it is ${JSON.stringify(url.slice(0, 60))}`, async () => {
      const limits = {
        ...{ allowHosts: ['.example.org', '.'], denyHosts: [], urlPorts: [80, 443], fetchTimeoutMs: 5000 },
        ...{ maxFetches: 1, maxFetchesPerHost: 1, maxBodyBytes: 10, maxQueueBytes: 10 },
      }
      const safeFetch = createSafeFetch(limits, () => Promise.reject(new Error('looked up')))
      const error = await errorOf(safeFetch(url, never()))
      expect(error.code).to.equal('ERR_URL_INVALID')
      expect(error.message).to.match(reason).and.not.contain('secret')
    })
  }
})

describe('a redirect', () => {
  afterEach(tidy)

  /** A server that redirects `/status/<location>` there, and answers "picture" for all else. */
  function redirecting() {
    return serve({
      request(socket, head) {
        const [, status, location] = /^GET \/(\d{3})\/(\S*)/.exec(head) ?? []
        if (status === undefined) return socket.end(answer('200 OK', [], 'picture'))
        return socket.end(
          answer(`${status} Go`, [`Location: ${decodeURIComponent(location ?? '')}`], 'ignored'),
        )
      },
    })
  }
  const to = (location: string, status = 302) => `/${status}/${encodeURIComponent(location)}`

  for (const status of [301, 302, 303, 307, 308]) {
    it(`of status ${status} is followed, to a path or to a whole address`, async () => {
      const server = await redirecting()
      const safeFetch = fetcher(server.port)
      const base = `http://a.example.org:${server.port}`
      for (const location of ['/picture', '../../picture', `//b.example.org:${server.port}/`]) {
        expect(String(await safeFetch(base + to(location, status), never()))).to.equal('picture')
      }
      await safeFetch(base + to(`http://b.example.org:${server.port}/x`, status), never())
      expect(server.heads.at(-1))
        .to.match(/^GET \/x /)
        .and.match(new RegExp(`host: b.example.org:${server.port}`, 'i'))
    })
  }

  it('is followed three times and not a fourth', async () => {
    const server = await redirecting()
    const safeFetch = fetcher(server.port)
    const three = to(to(to('/')))
    expect(String(await safeFetch(`http://a.example.org:${server.port}${three}`, never()))).to.equal(
      'picture',
    )
    const error = await errorOf(safeFetch(`http://a.example.org:${server.port}${to(three)}`, never()))
    expect(error.code).to.equal('ERR_URL_STATUS')
    expect(error.message).to.contain('at most 3 times')
  })

  it('that leads in a circle ends', async () => {
    const server = await serve({
      request: (socket) => socket.end(answer('302 Found', ['Location: /again'])),
    })
    const error = await errorOf(fetcher(server.port)(`http://a.example.org:${server.port}/`, never()))
    expect(error.code).to.equal('ERR_URL_STATUS')
    expect(server.connections()).to.equal(4)
  })

  it('without a Location, with two, or of another status fails like any other status', async () => {
    const answers = [
      answer('302 Found'),
      answer('302 Found', ['Location: /a', 'Location: /b']),
      answer('300 Multiple Choices', ['Location: /a']),
      answer('305 Use Proxy', ['Location: /a']),
    ]
    const server = await serve({ request: (socket, _head, index) => socket.end(answers[index] ?? '') })
    const safeFetch = fetcher(server.port)
    for (const status of ['302', '302', '300', '305']) {
      const error = await errorOf(safeFetch(`http://a.example.org:${server.port}/`, never()))
      expect(error.code).to.equal('ERR_URL_STATUS')
      expect(error.message).to.contain(status)
    }
  })

  it('to a forbidden address fails without giving the reason', async () => {
    const server = await redirecting()
    const canary = await serve({})
    const locations = [
      `http://a.example.org:${canary.port}/`,
      `http://user:pass@a.example.org:${server.port}/`,
      'file:///etc/passwd',
      'data:image/png;base64,AAAA',
      `http://127.0.0.1:${server.port}/`,
      `http://2130706433:${server.port}/`,
      `http://[::ffff:127.0.0.1]:${server.port}/`,
      `http://localhost:${server.port}/`,
      `http://inside.test:${server.port}/`,
      'http://169.254.169.254/latest/meta-data/',
      'http://',
      `/${'a'.repeat(3000)}`,
    ]
    for (const location of locations) {
      const before = server.connections()
      // Two hops, so that the second redirect is checked as the first is.
      const url = `http://a.example.org:${server.port}/302/${encodeURIComponent(to(location))}`
      if (url.length > 2048) continue
      const error = await errorOf(fetcher(server.port)(url, never()))
      expect([error.code, error.message], location).to.deep.equal(['ERR_URL_FETCH', SENTENCE])
      expect(server.connections() - before, location).to.equal(2)
    }
    expect(canary.connections()).to.equal(0)
  })

  it('is resolved anew, once per hop', async () => {
    const server = await redirecting()
    const asked: string[] = []
    const resolve = async (host: string) => {
      asked.push(host)
      return ['127.0.0.1']
    }
    const location = to(`http://b.example.org:${server.port}/`)
    await fetcher(server.port, {}, resolve)(`http://a.example.org:${server.port}${to(location)}`, never())
    expect(asked).to.deep.equal(['a.example.org', 'a.example.org', 'b.example.org'])
  })
})
