import { expect } from 'chai'
import { attack } from '../support/open-socket.ts'
import {
  expectUnharmed,
  HEALTH_P99_MS,
  HEALTH_WORST_MS,
  survivor,
  watchHealth,
  watchMemory,
} from '../support/survivor.ts'

const WEB_MIB = 400
/** For ten requests, which take 20 ms. Koa's own query parser would need half a second for each. */
const PARAMETERS_MS = 2000
const HEAD = 'Host: x\r\n'
const POST = `POST /picture HTTP/1.1\r\n${HEAD}`
const CHUNKS = '3\r\nabc\r\n0\r\n\r\n'

/** The bytes to send and the expected status; 0 for a connection that is closed without an answer. */
type Case = readonly [request: string, status: number]

const FRAMING: Readonly<Record<string, Case>> = {
  'a length and chunks': [`${POST}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}`, 400],
  'chunks and a length': [`${POST}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n${CHUNKS}`, 400],
  'two lengths': [`${POST}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`, 400],
  'the same length twice': [`${POST}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`, 400],
  'a list of lengths': [`${POST}Content-Length: 3, 3\r\n\r\nabc`, 400],
  'a negative length': [`${POST}Content-Length: -3\r\n\r\nabc`, 400],
  'a length in hexadecimal': [`${POST}Content-Length: 0x3\r\n\r\nabc`, 400],
  'a length with a plus sign': [`${POST}Content-Length: +3\r\n\r\nabc`, 400],
  'a length of 23 digits': [`${POST}Content-Length: 99999999999999999999999\r\n\r\nabc`, 400],
  'a length of a million terabytes': [`${POST}Content-Length: 999999999999999999\r\n\r\nabc`, 413],
  'a blank before a colon': [`${POST}Transfer-Encoding : chunked\r\n\r\n${CHUNKS}`, 400],
  'a folded header': [`${POST}X: a\r\n b\r\nContent-Length: 0\r\n\r\n`, 400],
  'an unknown transfer coding': [`${POST}Transfer-Encoding: bogus\r\n\r\n${CHUNKS}`, 400],
  'chunks inside an unknown transfer coding': [
    `${POST}Transfer-Encoding: chunked, bogus\r\n\r\n${CHUNKS}`,
    400,
  ],
  'chunks twice': [`${POST}Transfer-Encoding: chunked, chunked\r\n\r\n${CHUNKS}`, 400],
  'a chunk of a negative length': [`${POST}Transfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n`, 400],
  'a chunk of a length of 18 digits': [
    `${POST}Transfer-Encoding: chunked\r\n\r\n${'f'.repeat(18)}\r\nabc`,
    400,
  ],
  'a chunk with 100 KB of extensions': [
    `${POST}Transfer-Encoding: chunked\r\n\r\n3;${'a'.repeat(100_000)}\r\n`,
    413,
  ],
  'line ends without a carriage return': ['GET /healthz HTTP/1.1\nHost: x\n\n', 400],
  'NUL in a header': [`GET /healthz HTTP/1.1\r\n${HEAD}X: a\0b\r\n\r\n`, 400],
  'NUL in the path': [`GET /heal\0thz HTTP/1.1\r\n${HEAD}\r\n`, 400],
  'a header without a name': [`GET /healthz HTTP/1.1\r\n${HEAD}: b\r\n\r\n`, 400],
  'no Host': ['GET /healthz HTTP/1.1\r\n\r\n', 400],
  'two Hosts': ['GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400],
  'a header of a megabyte': [`GET /healthz HTTP/1.1\r\n${HEAD}X: ${'a'.repeat(1_000_000)}\r\n\r\n`, 431],
  '100,000 headers': [`GET /healthz HTTP/1.1\r\n${HEAD}${'X-Header: y\r\n'.repeat(100_000)}\r\n`, 431],
  'an unknown expectation': [`${POST}Expect: bogus\r\nContent-Length: 3\r\n\r\nabc`, 417],
  'Expect: 100-continue for a body that is too large': [
    `${POST}Expect: 100-continue\r\nContent-Length: 100000000\r\n\r\n`,
    413,
  ],
}

const TARGETS: Readonly<Record<string, Case>> = {
  'an unknown method': [`BREW /picture HTTP/1.1\r\n${HEAD}\r\n`, 400],
  'a method in lower case': [`get /healthz HTTP/1.1\r\n${HEAD}\r\n`, 400],
  TRACE: [`TRACE /healthz HTTP/1.1\r\n${HEAD}\r\n`, 405],
  PROPFIND: [`PROPFIND /picture HTTP/1.1\r\n${HEAD}\r\n`, 405],
  'DELETE with a body': [`DELETE /picture HTTP/1.1\r\n${HEAD}Content-Length: 3\r\n\r\nabc`, 405],
  'M-SEARCH *': [`M-SEARCH * HTTP/1.1\r\n${HEAD}\r\n`, 404],
  'OPTIONS *': [`OPTIONS * HTTP/1.1\r\n${HEAD}Connection: close\r\n\r\n`, 204],
  CONNECT: [`CONNECT example.com:443 HTTP/1.1\r\n${HEAD}\r\n`, 0],
  'the preface of HTTP/2': ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  'HTTP/9.9': [`GET /healthz HTTP/9.9\r\n${HEAD}\r\n`, 400],
  'a TLS handshake': [`\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03${'x'.repeat(500)}`, 400],
  'an SSH greeting': ['SSH-2.0-OpenSSH_9\r\n', 400],
  'a path that leaves /public': [`GET /public/../../package.json HTTP/1.1\r\n${HEAD}\r\n`, 404],
  'a path that leaves /public, in percent codes': [
    `GET /public/..%2f..%2fpackage.json HTTP/1.1\r\n${HEAD}\r\n`,
    404,
  ],
  'a path that leaves /public, with backslashes': [
    `GET /public/%5c..%5c..%5cpackage.json HTTP/1.1\r\n${HEAD}\r\n`,
    404,
  ],
  'a path that leaves /uploads': [`GET /uploads/..%2f..%2fetc%2fpasswd HTTP/1.1\r\n${HEAD}\r\n`, 404],
  'a path that leaves /display': [`GET /display/..%2f..%2fetc%2fpasswd HTTP/1.1\r\n${HEAD}\r\n`, 404],
  'NUL in percent codes': [`GET /display/%00 HTTP/1.1\r\n${HEAD}\r\n`, 404],
  'percent signs that encode nothing': [`GET /display/%zz%E0%A4%A HTTP/1.1\r\n${HEAD}\r\n`, 400],
  'the name of a prototype': [`GET /public/__proto__ HTTP/1.1\r\n${HEAD}\r\n`, 404],
  'a path that begins with //example.com': [`GET //example.com/%2e%2e HTTP/1.1\r\n${HEAD}\r\n`, 404],
  'a file URL': [`GET file:///etc/passwd HTTP/1.1\r\n${HEAD}\r\n`, 404],
  'a javascript URL': [`GET javascript:alert(1) HTTP/1.1\r\n${HEAD}\r\n`, 400],
  'a path of 15,000 letters': [`GET /${'a'.repeat(15_000)} HTTP/1.1\r\n${HEAD}\r\n`, 404],
  'a path of 100,000 letters': [`GET /${'a'.repeat(100_000)} HTTP/1.1\r\n${HEAD}\r\n`, 431],
}

const QUERIES: Readonly<Record<string, number>> = {
  'top=a&top=b': 400,
  'top=-1': 400,
  'top=1e9': 400,
  'top=NaN': 400,
  'top=1.5': 400,
  'top=': 400,
  'top=%00': 400,
  [`${'top=1&'.repeat(2500)}`]: 400,
  'model=__proto__': 404,
  'model=constructor': 404,
  'model=toString': 404,
  'model=': 404,
  'model=a&model=b': 400,
  [`model=${'x'.repeat(10_000)}`]: 404,
  'model=%0d%0aX-Evil:%20y': 404,
  'url=a&url=b': 400,
  'top[]=1&model[__proto__]=x&__proto__=1': 415,
  '%zz=%&&&=?': 415,
}

/** Unusual, but valid. */
const SERVED: Readonly<Record<string, string>> = {
  'HTTP/1.0': 'GET /healthz HTTP/1.0\r\n\r\n',
  'an absolute URL in the request line': `GET http://example.com/healthz HTTP/1.1\r\n${HEAD}\r\n`,
  'an absolute URL with a password and an invalid port': `GET http://u:p@example.com:99999/healthz HTTP/1.1\r\n${HEAD}\r\n`,
  'empty lines in front': `${'\r\n'.repeat(1000)}GET /healthz HTTP/1.1\r\n${HEAD}\r\n`,
  'a body that the route does not read': `GET /healthz HTTP/1.1\r\n${HEAD}Content-Length: 3\r\n\r\nabc`,
  'an upgrade to WebSocket': `GET /healthz HTTP/1.1\r\n${HEAD}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  'an upgrade to HTTP/2': `GET /healthz HTTP/1.1\r\n${HEAD}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n`,
  '400 headers': `GET /healthz HTTP/1.1\r\n${HEAD}${'a: b\r\n'.repeat(400)}\r\n`,
  'a query of 7500 names': `GET /healthz?${'a&'.repeat(7500)} HTTP/1.1\r\n${HEAD}\r\n`,
  '1500 types in Accept': `GET /healthz HTTP/1.1\r\n${HEAD}Accept: ${'a/b;q=0.1,'.repeat(1500)}\r\n\r\n`,
  'garbage in cookies': `GET /healthz HTTP/1.1\r\n${HEAD}Cookie: notice=__proto__; =;;;${'c=d;'.repeat(3000)}\r\n\r\n`,
}

describe('An unusual or malformed request', () => {
  const running = survivor()
  let health: Awaited<ReturnType<typeof watchHealth>>
  let memory: ReturnType<typeof watchMemory>
  before(async () => {
    memory = watchMemory(running())
    health = await watchHealth(running())
  })

  for (const [what, [request, status]] of [...Object.entries(FRAMING), ...Object.entries(TARGETS)]) {
    it(`with ${what} gets ${status === 0 ? 'no answer' : status}`, async () => {
      expect((await attack(running().url, request)).status).to.equal(status)
    })
  }

  for (const [query, status] of Object.entries(QUERIES)) {
    it(`with the query ${query.slice(0, 40)} gets ${status}`, async () => {
      const line = `POST /picture?${query} HTTP/1.1\r\n${HEAD}Content-Length: 3\r\n\r\nabc`
      expect((await attack(running().url, line)).status).to.equal(status)
    })
  }

  for (const [what, request] of Object.entries(SERVED)) {
    it(`with ${what} gets 200`, async () => {
      expect((await attack(running().url, request)).status).to.equal(200)
    })
  }

  it('with Expect: 100-continue gets 100 Continue, then the answer', async () => {
    const request = `${POST}Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc`
    expect((await attack(running().url, request)).text).to.match(
      /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 415 /,
    )
  })

  it('pipelined with 29 others is answered in order', async () => {
    const ids = Array.from({ length: 30 }, (_, index) => `id-${index}`)
    const { text } = await attack(running().url, pipelined(ids), ids.length)
    expect([...text.matchAll(/^X-Request-Id: (.*)\r$/gm)].map(([, id]) => id)).to.deep.equal(ids)
  })

  it('pipelined with 999 others ends the connection', async () => {
    const ids = Array.from({ length: 1000 }, (_, index) => `id-${index}`)
    const { text } = await attack(running().url, pipelined(ids), ids.length)
    expect(text.match(/^X-Request-Id/gm) ?? []).to.have.lengthOf.below(100)
  })

  it('with thousands of parameters does not block the event loop', async () => {
    const request = `GET /healthz?${'a&'.repeat(7500)} HTTP/1.1\r\n${HEAD}\r\n`
    const { status, ms } = await attack(running().url, request.repeat(10), 10)
    expect(status).to.equal(200)
    expect(ms).to.be.below(PARAMETERS_MS)
  })

  it('behind a valid one ends the connection with 400', async () => {
    const good = `GET /healthz HTTP/1.1\r\n${HEAD}\r\n`
    const { text } = await attack(running().url, `${good}${POST}Content-Length: -3\r\n\r\n`, 3)
    expect(text.match(/^HTTP\/1.1 \d{3}/gm)?.at(-1)).to.equal('HTTP/1.1 400')
  })

  it('leaves the service unharmed', async () => {
    const { p99, worst } = await health()
    const { web } = memory()
    expect(p99, 'the p99 of /healthz meanwhile, in ms').to.be.below(HEALTH_P99_MS)
    expect(worst, 'the longest that /healthz took, in ms').to.be.below(HEALTH_WORST_MS)
    expect(web, 'the most that the web process held, in MiB').to.be.below(WEB_MIB)
    await expectUnharmed(running())
  })
})

function pipelined(ids: readonly string[]): string {
  return ids.map((id) => `GET /healthz HTTP/1.1\r\n${HEAD}X-Request-Id: ${id}\r\n\r\n`).join('')
}
