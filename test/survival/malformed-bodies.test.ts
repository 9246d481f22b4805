import { expect } from 'chai'
import { photo } from '../support/image-files.ts'
import { attack } from '../support/open-socket.ts'
import {
  expectUnharmed,
  HEALTH_WORST_MS,
  type Memory,
  survivor,
  watchHealth,
  watchMemory,
} from '../support/survivor.ts'

/** The idle web process takes 120. A body of 20 MB is in memory as bytes, as text and as the parsed value. */
const WEB_MIB = 600
/** The slowest answer takes half a second. The rest is for busy machines. */
const ANSWER_MS = 5000
const LARGE = 19_000_000

interface Malformed {
  readonly path?: string
  readonly type?: string
  readonly headers?: readonly string[]
  /** a function makes a large body only when the test needs the body */
  readonly body: string | (() => string | Buffer)
  readonly status: number
  readonly code: string
}

const MULTIPART = 'multipart/form-data; boundary=B'
const FORM = 'application/x-www-form-urlencoded'
const JSON_TYPE = 'application/json'
const PART =
  '--B\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
const END = '--B--\r\n'
const BAD = { status: 400, code: 'ERR_BAD_REQUEST' } as const
const MISSING = { status: 400, code: 'ERR_INPUT_MISSING' } as const
const NO_URL = { status: 400, code: 'ERR_URL_INVALID' } as const
const NOT_TAKEN = { status: 415, code: 'ERR_UNSUPPORTED_MEDIA' } as const
const NO_IMAGE = { status: 415, code: 'ERR_IMAGE_TYPE' } as const

const MULTIPARTS: Readonly<Record<string, Malformed>> = {
  'without a closing boundary': { body: `${PART}abc\r\n`, ...BAD },
  'that ends inside of a header': { body: '--B\r\nContent-Dispos', ...BAD },
  'without any parts': { body: '', ...BAD },
  'with a closing boundary alone': { body: END, ...MISSING },
  'without a boundary in its type': { type: 'multipart/form-data', body: `${PART}abc\r\n${END}`, ...BAD },
  'with another boundary': { type: 'multipart/form-data; boundary=C', body: `${PART}abc\r\n${END}`, ...BAD },
  'with a boundary of 10,000 letters': {
    type: `multipart/form-data; boundary=${'x'.repeat(10_000)}`,
    body: PART,
    ...BAD,
  },
  'of the type multipart/mixed': {
    type: 'multipart/mixed; boundary=B',
    body: `${PART}abc\r\n${END}`,
    ...NOT_TAKEN,
  },
  'with NUL in the headers of a part': {
    body: '--B\r\nContent-Disposition: form-data; name="ima\0ge"; filename="a\0.png"\r\n\r\nabc\r\n--B--\r\n',
    ...MISSING,
  },
  'with a part without headers': { body: `--B\r\n\r\nabc\r\n${END}`, ...MISSING },
  'with 10,000 headers in a part': {
    body: `--B\r\n${'X-Header: y\r\n'.repeat(10_000)}Content-Disposition: form-data; name="image"\r\n\r\nabc\r\n${END}`,
    ...MISSING,
  },
  'with an endless header': { body: () => PART.replace('a.png', 'a'.repeat(LARGE)), ...BAD },
  'with 10,000 parameters in a header': {
    body: `--B\r\nContent-Disposition: form-data; ${'a=b;'.repeat(10_000)}name="image"\r\n\r\nabc\r\n${END}`,
    ...MISSING,
  },
  'of 1000 parts': { body: `${PART}abc\r\n`.repeat(1000) + END, ...BAD },
  'of 1000 fields': {
    body: '--B\r\nContent-Disposition: form-data; name="f"\r\n\r\nabc\r\n'.repeat(1000) + END,
    ...BAD,
  },
  'of millions of boundaries': { body: () => '--B\r\n'.repeat(LARGE / 5), ...BAD },
  'of millions of boundaries behind a large part': {
    body: () => PART + 'x'.repeat(1_000_000) + '\r\n--B'.repeat(3_000_000),
    ...BAD,
  },
  'of millions of beginnings of a boundary': {
    body: () => `${PART}${'\r\n--'.repeat(LARGE / 4)}\r\n${END}`,
    ...NO_IMAGE,
  },
  'with unknown charsets and encodings': {
    body: `${PART.replace('image/png', 'image/png; charset=bogus\r\nContent-Transfer-Encoding: bogus')}abc\r\n${END}`,
    ...NO_IMAGE,
  },
}

const TEXTS: Readonly<Record<string, Malformed>> = {
  'incomplete JSON': { type: JSON_TYPE, body: '{"url":', ...BAD },
  'JSON nested 100,000 deep': {
    type: JSON_TYPE,
    body: () => '['.repeat(100_000) + ']'.repeat(100_000),
    ...BAD,
  },
  'JSON of 19 MB of brackets': { type: JSON_TYPE, body: () => '['.repeat(LARGE), ...BAD },
  'JSON with a million keys': { type: JSON_TYPE, body: () => `{"k":1${',"k":1'.repeat(1_000_000)}}`, ...BAD },
  'JSON with __proto__': { type: JSON_TYPE, body: '{"__proto__":{"url":"http://192.0.2.1/"}}', ...BAD },
  'JSON with constructor': { type: JSON_TYPE, body: '{"constructor":{"prototype":{"url":"x"}}}', ...MISSING },
  'JSON with an object for a url': { type: JSON_TYPE, body: '{"url":{"toString":1}}', ...MISSING },
  'JSON of an unknown charset': {
    type: `${JSON_TYPE}; charset=bogus`,
    body: '{"url":"x"}',
    ...NO_URL,
  },
  'JSON in UTF-16': {
    type: `${JSON_TYPE}; charset=utf-16`,
    body: () => Buffer.from('{"url":"x"}', 'utf16le'),
    ...BAD,
  },
  'JSON with a number of 19 million digits': {
    path: '/api/infer',
    body: () => `{"images":${'1'.repeat(LARGE)}}`,
    ...BAD,
  },
  'JSON with a million images': {
    path: '/api/infer',
    body: () => `{"images":["a"${',"a"'.repeat(1_000_000)}]}`,
    ...BAD,
  },
  'JSON with 33 images': {
    path: '/api/infer',
    body: JSON.stringify({ images: Array.from({ length: 33 }, () => 'a') }),
    status: 413,
    code: 'ERR_TOO_MANY_IMAGES',
  },
  'JSON whose images are not a list': { path: '/api/infer', body: '{"images":{"length":1e9}}', ...BAD },
  'a form of 100,000 fields': { type: FORM, body: () => 'field=1&'.repeat(100_000), ...MISSING },
  'a form of 19 million fields': { type: FORM, body: () => '&'.repeat(LARGE), ...MISSING },
  'a form of 19 million plus signs': { type: FORM, body: () => `url=${'+'.repeat(LARGE)}`, ...BAD },
  'a form of 19 MB of brackets': { type: FORM, body: () => `a${'[b]'.repeat(LARGE / 3)}=1`, ...BAD },
  'a form of 19 MB of encoded brackets': {
    type: FORM,
    body: () => `a${'%5Bb%5D'.repeat(LARGE / 7)}=1`,
    ...BAD,
  },
  'a form of 19 MB of dots': { type: FORM, body: () => `a${'.b'.repeat(LARGE / 2)}=1`, ...MISSING },
  'a form of 19 MB of percent signs': { type: FORM, body: () => `url=${'%zz'.repeat(LARGE / 3)}`, ...NO_URL },
  'a form with __proto__': { type: FORM, body: '__proto__[url]=x&__proto__=y&constructor=z', ...MISSING },
  'a URL of 19 MB': { type: JSON_TYPE, body: () => `{"url":"http://${'a'.repeat(LARGE)}/"}`, ...NO_URL },
  'a URL of 19 MB of blanks': {
    type: JSON_TYPE,
    body: () => `{"url":"${' '.repeat(LARGE)}x"}`,
    ...NO_URL,
  },
  'a data URI of 19 MB': {
    type: JSON_TYPE,
    body: () => `{"url":"data:;base64,${'A'.repeat(LARGE)}"}`,
    ...NO_IMAGE,
  },
  'a data URI of 19 MB with an error at the end': {
    type: JSON_TYPE,
    body: () => `{"url":"data:;base64,${'A'.repeat(LARGE)}!"}`,
    ...NO_URL,
  },
  'a data URI of 19 MB in percent codes': {
    type: JSON_TYPE,
    body: () => `{"url":"data:,${'%41'.repeat(LARGE / 3)}"}`,
    ...NO_IMAGE,
  },
  'a data URI with 19 MB before its comma': {
    type: JSON_TYPE,
    body: () => `{"url":"data:${';base64'.repeat(LARGE / 7)},x"}`,
    ...NO_URL,
  },
}

const IMAGES: Readonly<Record<string, Malformed>> = {
  empty: { body: '', ...MISSING },
  'a body in gzip': { headers: ['Content-Encoding: gzip'], body: 'abc', ...NOT_TAKEN },
  'a body in brotli': { headers: ['Content-Encoding: br'], body: 'abc', ...NOT_TAKEN },
  'a body in an unknown encoding': {
    headers: ['Content-Encoding: bogus'],
    body: 'abc',
    ...NOT_TAKEN,
  },
  '19 MB of text': { body: () => 'x'.repeat(LARGE), ...NO_IMAGE },
  'a JPEG of 19 MB without a frame': {
    body: () => bytes('ffd8ff', 'fffe0002', LARGE / 4),
    status: 422,
    code: 'ERR_IMAGE_COST',
  },
  'a JPEG with 19 MB of fill bytes': {
    body: () => bytes('ffd8ff', 'ff', LARGE),
    status: 422,
    code: 'ERR_IMAGE_COST',
  },
  'a GIF with 19 MB of blocks': {
    body: () => bytes('47494638396101000100000000', '21ff010000', LARGE / 5),
    status: 422,
    code: 'ERR_IMAGE_DECODE',
  },
  'an AVIF with 19 MB of sizes': {
    body: () => bytes('0000001866747970617669660000000061766966', '69737065', LARGE / 4),
    status: 422,
    code: 'ERR_IMAGE_DECODE',
  },
}

describe('A malformed body', () => {
  const running = survivor()
  let memory: () => Memory
  before(() => {
    memory = watchMemory(running())
  })

  for (const [what, malformed] of Object.entries(MULTIPARTS)) {
    it(`of the type multipart, ${what}, gets ${malformed.status}`, () =>
      isRefused({ type: MULTIPART, ...malformed }))
  }
  for (const [what, malformed] of [...Object.entries(TEXTS), ...Object.entries(IMAGES)]) {
    it(`that is ${what} gets ${malformed.status}`, () => isRefused(malformed))
  }

  it('leaves the service unharmed', async () => {
    expect(memory().web, 'the most that the web process held, in MiB').to.be.below(WEB_MIB)
    await expectUnharmed(running())
  })

  async function isRefused({
    path = '/picture',
    type,
    headers = [],
    body,
    status,
    code,
  }: Malformed): Promise<void> {
    const { url } = running()
    const made = typeof body === 'string' ? body : body()
    const content = typeof made === 'string' ? Buffer.from(made, 'latin1') : made
    const head = [
      `POST ${path} HTTP/1.1`,
      'Host: x',
      ...(type === undefined ? [] : [`Content-Type: ${type}`]),
      ...headers,
      `Content-Length: ${content.length}`,
    ]
    const request = Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), content])
    const health = await watchHealth(running())
    const answer = await attack(url, request)
    const { worst } = await health()
    expect(answer.status, answer.text.slice(0, 1000)).to.equal(status)
    expect(answer.text).to.contain(`X-Error-Code: ${code}\r\n`)
    expect(answer.ms, 'ms until the answer').to.be.below(ANSWER_MS)
    expect(worst, 'the longest that /healthz took meanwhile, in ms').to.be.below(HEALTH_WORST_MS)
    expect((await predicted(url)).status, 'a prediction behind it').to.equal(200)
  }
})

describe('A body of 100 MB', () => {
  const running = survivor()
  const HUNDRED = 100 * 2 ** 20
  let memory: () => Memory
  before(() => {
    memory = watchMemory(running())
  })

  it('gets 413 at once when Content-Length declares the size', async () => {
    const head = `POST /picture HTTP/1.1\r\nHost: x\r\nContent-Length: ${HUNDRED}\r\n\r\n`
    const { status, text } = await attack(running().url, head)
    expect(status).to.equal(413)
    expect(text)
      .to.contain('ERR_BODY_TOO_LARGE')
      .and.match(/^Connection: close\r$/m)
  })

  it('gets 413 when the client sends chunks', async () => {
    const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(2 ** 20), Buffer.from('\r\n')])
    const head = Buffer.from('POST /picture HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
    const body = Array.from({ length: 100 }, () => chunk)
    const { status } = await attack(running().url, Buffer.concat([head, ...body]))
    expect(status).to.equal(413)
  })

  it('gets 413 as a part of a form, on every route for forms', async () => {
    for (const path of ['/picture', '/', '/predict', '/api/predict', '/predictlabel', '/feedback']) {
      const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: ${MULTIPART}\r\nTransfer-Encoding: chunked\r\n\r\n`
      const part = Buffer.concat([Buffer.from(PART), Buffer.alloc(HUNDRED / 4)])
      const chunk = Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')])
      const { status } = await attack(running().url, Buffer.concat([Buffer.from(head), chunk]))
      expect(status, path).to.equal(413)
    }
  })

  it('leaves the service unharmed', async () => {
    expect(memory().web, 'the most that the web process held, in MiB').to.be.below(WEB_MIB)
    await expectUnharmed(running())
  })
})

async function predicted(url: string): Promise<Response> {
  return fetch(`${url}/picture`, { method: 'POST', body: new Uint8Array(await photo().png().toBuffer()) })
}

function bytes(start: string, repeated: string, times: number): Buffer {
  return Buffer.concat([
    Buffer.from(start, 'hex'),
    Buffer.alloc((repeated.length / 2) * times, repeated, 'hex'),
  ])
}
