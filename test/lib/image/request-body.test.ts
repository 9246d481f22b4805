import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import Koa from 'koa'
import type { RequestState } from '../../../lib/http/context.ts'
import { describeError } from '../../../lib/http/errors.ts'
import { bodyReader } from '../../../lib/image/body-reader.ts'
import { type RequestBody, requestBody, type Taking } from '../../../lib/image/request-body.ts'
import { fileAs } from '../../support/multipart-as.ts'
import { four } from '../../support/pictures.ts'
import { ask } from '../../support/raw-http.ts'

const FORM = 'application/x-www-form-urlencoded'
const LIMITS = { maxBodyBytes: 8 * 2 ** 20, bodyTimeoutMs: 5000, maxQueueBytes: 2 ** 28 }

interface Read {
  kind?: 'form' | 'json' | 'raw'
  fields?: [string, string][]
  files?: string[]
  value?: unknown
  bytes?: number
  code?: string
  message?: string
}

describe('requestBody', () => {
  let server: Server
  let url = ''

  before((done) => {
    const readBody = bodyReader(LIMITS)
    const app = new Koa<RequestState>()
    app.use(async (ctx) => {
      try {
        ctx.body = told(await requestBody(ctx, readBody, ctx.path.slice(1) as Taking))
      } catch (error) {
        const { code, message, status } = describeError(error)
        ctx.status = status
        ctx.body = { code, message }
      }
    })
    server = createServer(app.callback()).listen(0, '127.0.0.1', () => {
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      done()
    })
  })
  after((done) => {
    server.close(done)
    server.closeAllConnections()
  })

  async function read(
    body: Buffer | string,
    type?: string,
    taking: Taking = 'as-declared',
    more: string[] = [],
  ) {
    const headers = type === undefined ? more : [`Content-Type: ${type}`, ...more]
    const answer = await ask(url, `POST /${taking}`, headers, body)
    return { status: answer.status, ...(answer.json() as Read) }
  }

  describe('decides by the first bytes what is an image, never by a header', () => {
    for (const type of [
      undefined,
      'image/png',
      FORM,
      'text/plain',
      'text/html; charset=utf-8',
      'application/json',
      'application/ld+json',
      'application/octet-stream',
      'multipart/form-data',
      'multipart/mixed; boundary=x',
      'nonsense',
      '/',
      ';;;',
    ]) {
      for (const taking of ['as-declared', 'file', 'raw-unless-form'] as const) {
        it(`sent as ${type}, and taken ${taking}`, async () => {
          const picture = await four()
          expect(await read(picture, type, taking)).to.include({ kind: 'raw', bytes: picture.length })
        })
      }
    }
  })

  it('reads a body of any other type as raw bytes', async () => {
    for (const type of [
      undefined,
      'text/plain',
      'application/octet-stream',
      'application/jsonp',
      'nonsense',
    ]) {
      expect(await read('{"url":"x"}', type)).to.include({ kind: 'raw', bytes: 11 })
    }
    expect(await read('')).to.include({ kind: 'raw', bytes: 0 })
    expect(await read('', 'application/json')).to.include({ kind: 'raw', bytes: 0 })
  })

  describe('a form', () => {
    it('is decoded, and the first of two texts counts', async () => {
      const { fields } = await read('url=a%26b+c&url=2&empty=&alone&%C3%A4=%F0%9F%90%88', FORM)
      expect(fields).to.deep.equal([
        ['url', 'a&b c'],
        ['empty', ''],
        ['alone', ''],
        ['ä', '🐈'],
      ])
    })

    it('is UTF-8 whatever its charset', async () => {
      for (const charset of ['utf-8', 'UTF-8', 'iso-8859-1', 'utf-16', 'nonsense', '""', '']) {
        const { fields } = await read('url=%C3%A4', `${FORM}; charset=${charset}`)
        expect(fields, charset).to.deep.equal([['url', 'ä']])
      }
    })

    it('may hold bytes that cannot be decoded', async () => {
      for (const text of ['url=%', 'url=%zz', 'url=%FF%FE', '&&&', '=', '%', 'url', '=&=&url=1']) {
        expect(await read(text, FORM), text).to.include({ status: 200, kind: 'form' })
      }
    })

    it('makes no objects from brackets, dots and names such as __proto__', async () => {
      for (const name of ['url[a]', 'url[]', 'url.a', 'a[__proto__][b]', 'constructor[prototype][x]']) {
        expect(await read(`${name}=1&url=2`, FORM), name).to.include({ status: 200, kind: 'form' })
      }
      const { fields } = await read('toString=1&hasOwnProperty=2&url=3', FORM)
      expect(new Map(fields).get('url')).to.equal('3')
      expect(({} as { b?: unknown }).b).to.equal(undefined)
    })

    it('uses the first of thousands of texts', async () => {
      const { fields } = await read(`url=first${'&url=x'.repeat(100_000)}`, FORM)
      expect(fields).to.deep.equal([['url', 'first']])
      const many = Array.from({ length: 100_000 }, (_, i) => `f${i}=x`).join('&')
      expect((await read(many, FORM)).fields?.length ?? 0).to.be.at.most(64)
    })

    it('with files is read from its parts', async () => {
      const { headers, body } = fileAs('requests', 'image', 'hello')
      const type = headers.at(-1)?.slice('Content-Type: '.length)
      for (const taking of ['as-declared', 'file', 'raw-unless-form'] as const) {
        expect((await read(body, type, taking)).files).to.deep.equal(['image'])
      }
      expect(await read(body, 'multipart/mixed; boundary=x')).to.include({
        status: 415,
        code: 'ERR_UNSUPPORTED_MEDIA',
      })
      expect(await read(body, 'multipart/form-data')).to.include({ status: 400, code: 'ERR_BAD_REQUEST' })
    })
  })

  describe('JSON', () => {
    it('is read by its type, with suffixes and parameters', async () => {
      for (const type of [
        'application/json',
        'application/json; charset=utf-8',
        'APPLICATION/JSON',
        'application/ld+json',
      ]) {
        expect((await read('{"url":"ä"}', type)).value, type).to.deep.equal({ url: 'ä' })
      }
    })

    it('is read whatever the Content-Type is, on a route that takes only JSON', async () => {
      for (const type of [
        undefined,
        FORM,
        'image/png',
        'multipart/form-data; boundary=x',
        'text/xml',
        'nonsense',
      ]) {
        expect((await read('{"url":"ä"}', type, 'json')).value, String(type)).to.deep.equal({ url: 'ä' })
      }
    })

    it('is UTF-8, with or without a byte order mark, whatever the charset is', async () => {
      for (const charset of ['utf-8', 'iso-8859-1', 'utf-16', 'nonsense']) {
        expect((await read('{"url":"ä"}', `application/json; charset=${charset}`)).value).to.deep.equal({
          url: 'ä',
        })
      }
      expect((await read('\ufeff{"url":"ä"}', 'application/json')).value).to.deep.equal({ url: 'ä' })
      const wide = await read(Buffer.from('{"url":"ä"}', 'utf16le'), 'application/json')
      expect(wide).to.include({ status: 400, code: 'ERR_BAD_REQUEST' })
    })

    it('that is invalid, or is neither an object nor a list, is refused', async () => {
      for (const text of [
        '{',
        '{"url":',
        "{'url':1}",
        'url=x',
        'null',
        'true',
        '5',
        '"x"',
        'NaN',
        '{}x',
        '[1,]',
        '\0',
      ]) {
        expect(await read(text, 'application/json'), text).to.include({
          status: 400,
          code: 'ERR_BAD_REQUEST',
        })
      }
      expect(await read('', undefined, 'json')).to.include({ kind: 'json' })
    })

    it('changes no prototype', async () => {
      for (const text of [
        '{"__proto__":{"url":"x"}}',
        '{"a":[{"__proto__":{"url":"x"}}]}',
        '{"constructor":{"prototype":{"url":"x"}}}',
      ]) {
        const { status, value } = await read(text, 'application/json')
        if (status === 200) expect(Object.keys(value as object)).not.to.include('url')
        else expect(status).to.equal(400)
      }
      expect(({} as { url?: unknown }).url).to.equal(undefined)
    })

    it('may be nested thousands of levels deep, but not without bound', async () => {
      const nested = (depth: number) => `{"x":${'['.repeat(depth)}${']'.repeat(depth)}}`
      expect(await read(nested(5000), 'application/json')).to.include({ status: 200, kind: 'json' })
      const start = performance.now()
      for (const text of [
        nested(2 ** 21),
        `[${'{"a":1},'.repeat(500_000)}1]`,
        `[${'1,'.repeat(2 ** 21)}1]`,
        `${'{"a":'.repeat(500_000)}1${'}'.repeat(500_000)}`,
      ]) {
        expect(await read(text, 'application/json')).to.include({ status: 400, code: 'ERR_BAD_REQUEST' })
      }
      // Some 30 ms; to read them would take seconds.
      expect(performance.now() - start).to.be.lessThan(1500)
      expect(
        await read(JSON.stringify({ url: `data:,${'x'.repeat(4 * 2 ** 20)}` }), 'application/json'),
      ).to.include({
        status: 200,
      })
    })

    it("is passed on as bytes to the user's own pipeline", async () => {
      expect(await read('{"url":', 'application/json', 'raw-unless-form')).to.include({
        kind: 'raw',
        bytes: 7,
      })
      expect(await read('url=x', FORM, 'raw-unless-form')).to.include({ kind: 'form' })
    })
  })

  it('has no file in a URL-encoded form or in JSON, whatever the fields are', async () => {
    for (const [text, type] of [
      ['image=x', FORM],
      ['%', FORM],
      ['{"image":', 'application/json'],
      ['5', 'application/ld+json'],
    ] as const) {
      expect(await read(text, type, 'file')).to.deep.include({ kind: 'form', files: [], fields: [] })
    }
  })

  it('must come without an encoding', async () => {
    for (const encoding of ['gzip', 'x-gzip', 'deflate', 'br', 'zstd', 'gzip, identity', 'nonsense']) {
      for (const taking of ['as-declared', 'file', 'json', 'raw-unless-form'] as const) {
        const answer = await read(gzipSync('{}'), 'application/json', taking, [
          `Content-Encoding: ${encoding}`,
        ])
        expect(answer, encoding).to.include({ status: 415, code: 'ERR_UNSUPPORTED_MEDIA' })
        expect(answer.message).to.contain(encoding)
      }
    }
    for (const encoding of ['identity', 'Identity', '']) {
      const answer = await read('{}', 'application/json', 'as-declared', [`Content-Encoding: ${encoding}`])
      expect(answer).to.include({ status: 200, kind: 'json' })
    }
  })
})

/** Without what is nested, which cannot be written as JSON again. */
function told(body: RequestBody): Read {
  if (body.kind === 'raw') return { kind: 'raw', bytes: body.bytes.length }
  if (body.kind === 'form') {
    return { kind: 'form', fields: [...body.fields], files: body.files.map(({ field }) => field) }
  }
  const { value } = body
  const isSmall =
    typeof value === 'object' && value !== null && !('x' in value) && JSON.stringify(value).length < 1000
  return { kind: 'json', ...(isSmall && { value }) }
}
