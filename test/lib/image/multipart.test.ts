import { monitorEventLoopDelay } from 'node:perf_hooks'
import { expect } from 'chai'
import { parseMultipart } from '../../../lib/image/multipart.ts'
import { codeOf, errorOf } from '../../support/broker.ts'
import { seeded } from '../../support/image-files.ts'
import { CLIENT_NAMES, multipartAs } from '../../support/multipart-as.ts'
import { NASTY_TEXTS } from '../../support/nasty-texts.ts'

const TYPE = 'multipart/form-data; boundary=AaB03x'
const FILE = 'Content-Disposition: form-data; name="image"; filename="x.png"'
const END = '--AaB03x--\r\n'

/** A part, its headers as lines. */
const part = (headers: readonly string[], content: string) =>
  `--AaB03x\r\n${headers.map((header) => `${header}\r\n`).join('')}\r\n${content}\r\n`

const parse = (body: Buffer | string, type = TYPE) => parseMultipart(Buffer.from(body), type)

/** A parser that never answers would hold its request for ever. */
function within<Value>(ms: number, promise: Promise<Value>): Promise<Value> {
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms).unref()
  })
  return Promise.race([promise, late])
}

describe('parseMultipart', () => {
  for (const client of CLIENT_NAMES) {
    it(`reads what ${client} sends: files with and without a name of their own, texts, bytes of all kinds`, async () => {
      const bytes = Buffer.from(Array.from({ length: 1024 }, (_, i) => i & 255))
      const { headers, body } = multipartAs(
        client,
        { field: 'url', text: 'https://example.com/ä?a=1&b=2' },
        { field: 'image', file: 'x.png', bytes },
        { field: 'file', file: '', bytes: '' },
      )
      const { fields, files } = await parseMultipart(
        body,
        headers.at(-1)?.slice('Content-Type: '.length) ?? '',
      )
      expect([...fields]).to.deep.equal([['url', 'https://example.com/ä?a=1&b=2']])
      expect(files).to.deep.equal([
        { field: 'image', name: 'x.png', bytes },
        { field: 'file', name: '', bytes: Buffer.alloc(0) },
      ])
    })
  }

  it('treats a part as a file by its file name, or else by its type', async () => {
    const { files, fields } = await parse(
      part(['Content-Disposition: form-data; name="a"; filename="x"'], '1') +
        part(['Content-Disposition: form-data; name="b"', 'Content-Type: image/png'], '2') +
        part(['Content-Disposition: form-data; name="c"', 'Content-Type: application/octet-stream'], '3') +
        part(['Content-Disposition: form-data; name="d"', 'Content-Type: text/plain'], '4') +
        part(['Content-Disposition: form-data; name="e"'], '5') +
        END,
    )
    expect(files.map(({ field }) => field)).to.deep.equal(['a', 'b', 'c'])
    expect([...fields.keys()]).to.deep.equal(['d', 'e'])
  })

  it('keeps all files of one name in their order, and the first of two texts', async () => {
    const { files, fields } = await parse(
      part([FILE], 'first') +
        part([FILE], 'second') +
        part(['Content-Disposition: form-data; name="url"'], 'first') +
        part(['Content-Disposition: form-data; name="url"'], 'second') +
        part(['Content-Disposition: form-data; name="__proto__"'], 'x') +
        END,
    )
    expect(files.map(({ bytes }) => bytes.toString())).to.deep.equal(['first', 'second'])
    expect([...fields]).to.deep.equal([
      ['url', 'first'],
      ['__proto__', 'x'],
    ])
  })

  it('reads names in UTF-8, percent-encoded, with quotes, and without the folders before them', async () => {
    const names = [
      ['filename="Käse 漢字 🐈.png"', 'Käse 漢字 🐈.png'],
      [`filename*=utf-8''K%C3%A4se%20%F0%9F%90%88.png`, 'Käse 🐈.png'],
      ['filename="a%22b.png"', 'a%22b.png'],
      ['filename="a\\"b.png"', 'a"b.png'],
      ['filename=plain.png', 'plain.png'],
      ['filename="C:\\fakepath\\x.png"', 'x.png'],
      ['filename="../../etc/passwd"', 'passwd'],
    ] as const
    for (const [parameter, name] of names) {
      const { files } = await parse(
        part([`Content-Disposition: form-data; name="image"; ${parameter}`], 'x') + END,
      )
      expect(files[0]?.name).to.equal(name)
    }
  })

  it('finds the boundary with quotes and in any case, and ignores what is before and after the parts', async () => {
    const body = `to be ignored\r\n${part([FILE], 'x')}${END}to be ignored`
    for (const type of [
      'multipart/form-data; boundary="AaB03x"',
      'multipart/form-data;boundary=AaB03x',
      'multipart/form-data; charset=utf-8; BOUNDARY=AaB03x',
      'Multipart/Form-Data; boundary=AaB03x',
    ]) {
      expect((await parse(body, type)).files, type).to.have.length(1)
    }
  })

  it('does not decode encoded parts or nested forms: their bytes stay as they are', async () => {
    const encoded = await parse(part([FILE, 'Content-Transfer-Encoding: base64'], 'aGVsbG8=') + END)
    expect(encoded.files[0]?.bytes.toString()).to.equal('aGVsbG8=')
    const inner = '--in\r\nContent-Disposition: file; filename="a.png"\r\n\r\nx\r\n--in--'
    const type = 'Content-Type: multipart/mixed; boundary=in'
    const nested = await parse(part(['Content-Disposition: form-data; name="image"', type], inner) + END)
    expect([nested.files, nested.fields.get('image')]).to.deep.equal([[], inner])
  })

  it('reads texts in other character sets, and in an unknown one as UTF-8', async () => {
    for (const [charset, bytes] of [
      ['iso-8859-1', Buffer.from('ä', 'latin1')],
      ['utf-16le', Buffer.from('ä', 'utf16le')],
      ['utf-8', Buffer.from('ä')],
      ['nonsense', Buffer.from('ä')],
    ] as const) {
      const head = part(
        ['Content-Disposition: form-data; name="t"', `Content-Type: text/plain; charset=${charset}`],
        '',
      )
      const body = Buffer.concat([Buffer.from(head.slice(0, -2)), bytes, Buffer.from(`\r\n${END}`)])
      expect((await parse(body)).fields.get('t'), charset).to.equal('ä')
    }
  })

  it('keeps every text unchanged', async () => {
    const { headers, body } = multipartAs(
      'chrome',
      ...NASTY_TEXTS.slice(0, 60).map((text, i) => ({ field: `t${i}`, text })),
    )
    const { fields } = await parseMultipart(body, headers.at(-1)?.slice('Content-Type: '.length) ?? '')
    for (const [i, text] of NASTY_TEXTS.slice(0, 60).entries()) {
      expect(fields.get(`t${i}`)).to.equal(Buffer.from(text).toString())
    }
  })

  it('has a limit of 64 parts', async () => {
    const parts = (count: number) =>
      Array.from({ length: count }, (_, i) =>
        part([`Content-Disposition: form-data; name="f${i}"`], 'x'),
      ).join('') + END
    expect((await parse(parts(64))).fields.size).to.equal(64)
    for (const count of [65, 1000, 50_000]) {
      const error = await errorOf(within(5000, parse(parts(count))))
      expect(error.code).to.equal('ERR_BAD_REQUEST')
      expect(error.message).to.contain('64 parts')
    }
    const files = Array.from({ length: 1000 }, () => part([FILE], 'x')).join('') + END
    expect(await codeOf(parse(files))).to.equal('ERR_BAD_REQUEST')
  })

  it('bounds the headers of a part, and ignores the headers beyond the bound', async () => {
    const many = Array.from({ length: 10_000 }, (_, i) => `X-${i}: 1`)
    expect((await parse(part([FILE, ...many], 'x') + END)).files).to.have.length(1)
    const { files } = await parse(part([...many, FILE], 'x') + END)
    expect(files).to.have.length(0)
    const long = `Content-Disposition: form-data; name="image"; filename="${'x'.repeat(2 ** 20)}.png"`
    const named = await within(2000, parse(part([long], 'x') + END))
    expect(named.files[0]?.name.length ?? 0).to.be.lessThan(32 * 2 ** 10)
  })

  it('refuses a type without a usable boundary', async () => {
    const body = part([FILE], 'x') + END
    for (const type of [
      'multipart/form-data',
      'multipart/form-data; boundary',
      'multipart/form-data; boundary=',
      'multipart/form-data; boundary=""',
      'multipart/form-data; boundary=other',
      `multipart/form-data; boundary=${'x'.repeat(10_000)}`,
    ]) {
      expect(await codeOf(within(2000, parse(body, type))), type).to.equal('ERR_BAD_REQUEST')
    }
  })

  it('refuses a body that is cut off at any position', async () => {
    const body = `preamble\r\n${part([FILE], 'hello')}${part(['Content-Disposition: form-data; name="t"'], 'x')}--AaB03x`
    for (let length = 0; length <= body.length; length++) {
      const error = await errorOf(within(2000, parse(body.slice(0, length))))
      expect(error.code, `${length}: ${error.message}`).to.equal('ERR_BAD_REQUEST')
    }
    expect((await parse(`${body}--`)).files).to.have.length(1)
  })

  it('skips parts without a name or of another disposition', async () => {
    const { files } = await parse(
      part(['Content-Type: image/png'], 'x') +
        part(['Content-Disposition: attachment; filename="x.png"'], 'x') +
        part(['Content-Disposition: form-data; name="image"; filename="x\r\n.png"'], 'x') +
        part([], 'x') +
        part([FILE], 'x') +
        END,
    )
    expect(files.map(({ name }) => name)).to.include('x.png')
    expect((await parse(END)).files).to.deep.equal([])
  })

  it('reads or refuses any bytes at once', async () => {
    const random = seeded(11)
    const bases = [part([FILE], 'hello') + END, part([FILE], 'a') + part([FILE], 'b') + END].map((text) =>
      Buffer.from(text),
    )
    const bytes = [0, 10, 13, 34, 45, 58, 59, 61, 92, 255]
    for (let i = 0; i < 1000; i++) {
      const body = Buffer.from(bases[i % 2] ?? '')
      for (let k = 0; k < 1 + random() * 4; k++) {
        body[Math.floor(random() * body.length)] = bytes[Math.floor(random() * bytes.length)] ?? 0
      }
      const outcome = await within(2000, parse(body)).catch(
        (error: { code?: string; message: string }) => error,
      )
      if (!('kind' in outcome)) expect(outcome.code, outcome.message).to.equal('ERR_BAD_REQUEST')
    }
  })

  it('does not hold up the event loop over 20 MB', async () => {
    const bytes = Buffer.alloc(20 * 2 ** 20, '\r\n--AaB03')
    const body = Buffer.concat([Buffer.from(part([FILE], '').slice(0, -2)), bytes, Buffer.from(`\r\n${END}`)])
    const delays = monitorEventLoopDelay({ resolution: 5 })
    delays.enable()
    const { files } = await parse(body)
    delays.disable()
    expect(files[0]?.bytes.equals(bytes)).to.equal(true)
    // Some 10 ms where nothing else runs, most of them to join the pieces; as one piece it is 200.
    expect(delays.max / 1e6).to.be.lessThan(150)
  })
})
