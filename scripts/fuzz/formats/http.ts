import { mutateBytes } from '../mutate-bytes.ts'
import type { Random } from '../random.ts'
import type { Format } from './format.ts'
import { json } from './json.ts'
import { type Part, type PartsFormat, partsFormat } from './parts.ts'

const END_OF_HEAD = Buffer.from('\r\n\r\n')
const LINE = 'line'
const BODY = 'body'
const LENGTH = /^content-length:/i

/** Lines that a head may have; "line" alone would only copy those that are there. */
export const LINES = [
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip, chunked',
  'Content-Length: 5',
  'Content-Length: 99999999999999999999',
  'Expect: 100-continue',
  'Connection: close',
  'Connection: Upgrade',
  'Upgrade: h2c',
  'Content-Type: application/json',
  'Content-Type: multipart/form-data; boundary=x',
  'Content-Type: multipart/form-data; boundary=""',
  'Content-Type: application/x-www-form-urlencoded; charset=utf-16',
  'Content-Encoding: gzip',
  'Accept: application/x-ndjson',
  'Accept: text/html;q=0.1, */*;q=0',
  'Accept-Encoding: br, gzip;q=0',
  'Accept-Language: *',
  'If-None-Match: *',
  'If-Modified-Since: x',
  'Range: bytes=0-1,5-,-9999999999',
  'Cookie: a=b; __proto__=c; ;=',
  'Origin: null',
  'X-Forwarded-For: ::1, , x',
  'X-Request-Id: \x7f',
  'Host: a',
] as const

/** What paths, queries and values of headers may have inside. */
const TEXTS = [
  '/',
  '//',
  '/..',
  '/../..',
  '/.',
  '%00',
  '%ff',
  '%2e%2e%2f',
  '%',
  '%u0041',
  '?',
  '&',
  '&=&',
  '=',
  '?top=-1',
  '&top=1e9',
  '&top=NaN',
  '&model=',
  '&model=__proto__',
  '&model=digits&model=picture',
  '&url=data:,',
  '&url=file:///etc/passwd',
  '&url=http://0/',
  '&url=http://[::1]:1/',
  '&url=http://a@b:99999',
  '&threshold=-1',
  ';',
  ',',
  '"',
  '\\',
  '\t',
  '\xe9',
  '\xff',
  '*',
  'x'.repeat(300),
  '&x'.repeat(300),
  'a=b; '.repeat(50),
  ';q=2',
  ';q=0.0001',
  'charset="',
  'boundary=',
  '',
  '-1',
  '0x10',
  '99',
]

const parts = partsFormat({
  name: 'HTTP',
  names: [LINE, BODY],
  // A head with a wrong byte gets 400 from Node, before any code of Tandem has run.
  share: 0.95,
  matches: (file) => /^[A-Z]{3,8} \S+ HTTP\/1\.[01]\r\n/.test(file.toString('latin1', 0, 2000)),
  split(file) {
    const end = file.indexOf(END_OF_HEAD)
    const head = file.toString('latin1', 0, end < 0 ? file.length : end).split('\r\n')
    const body = end < 0 ? Buffer.alloc(0) : file.subarray(end + END_OF_HEAD.length)
    return [...head.map(line), { name: BODY, data: body }]
  },
  join(parts) {
    const body = Buffer.concat(parts.filter(({ name }) => name === BODY).map(({ data }) => data))
    const lines = parts.filter(({ name }) => name !== BODY).map(({ data }) => data.toString('latin1'))
    const told = lines.map((text) => (LENGTH.test(text) ? `Content-Length: ${body.length}` : text))
    return Buffer.concat([Buffer.from(`${told.join('\r\n')}\r\n\r\n`, 'latin1'), body])
  },
  mutateData: changedData,
})

/** HTTP requests: lines of a head, and a body whose length the head tells. */
export const http: PartsFormat & Format = {
  ...parts,
  mutate(file, random, donor) {
    // Most requests without one of their lines, or with a line twice, get 400 from Node.
    if (random.chance(0.15)) return parts.mutate(file, random, donor)
    const all = parts.split(file)
    const body = all.length - 1
    const at = random.chance(0.5) && all[body]?.data.length ? body : random.below(body)
    const part = all[at]
    if (part === undefined) return file
    if (at > 0 && at < body && random.chance(0.4))
      return parts.join(all.toSpliced(at, 0, line(random.pick(LINES))))
    return parts.join(
      all.with(at, { ...part, data: changedData(part, random) ?? mutateBytes(part.data, random) }),
    )
  },
}

function changedData({ name, data }: Part, random: Random): Buffer | undefined {
  if (name === LINE) return Buffer.from(changedLine(data.toString('latin1'), random), 'latin1')
  if (json.matches(data)) return json.mutate(data, random, data)
  return multipart.matches(data) ? multipart.mutate(data, random, data) : undefined
}

/** Another line, or other text inside of this one. */
function changedLine(text: string, random: Random): string {
  if (random.chance(0.3)) return random.pick(LINES)
  const places = [...text.matchAll(/[/?&=;:, ]|$/g)].map(({ index }) => index)
  const at = random.pick(places)
  const end = random.chance(0.5) ? at : (places.find((place) => place > at) ?? at)
  return text.slice(0, at) + random.pick(TEXTS) + text.slice(end)
}

/** The body of a form: parts between lines that all begin alike. */
const multipart = partsFormat({
  name: 'multipart',
  names: [''],
  matches: (file) => /^--\S+\r\n/.test(file.toString('latin1', 0, 200)),
  split(file) {
    const boundary = boundaryOf(file)
    const parts: Part[] = []
    for (let at = 0; at < file.length; ) {
      const next = file.indexOf(boundary, at + boundary.length)
      const end = next < 0 ? file.length : next
      parts.push({ name: '', data: file.subarray(at, end) })
      at = end
    }
    return parts
  },
  join: (parts) => Buffer.concat(parts.map(({ data }) => data)),
})

function boundaryOf(file: Buffer): Buffer {
  return file.subarray(0, file.indexOf('\r\n'))
}

function line(text: string): Part {
  return { name: LINE, data: Buffer.from(text, 'latin1') }
}
