import { expect } from 'chai'
import { photo } from '../support/image-files.ts'
import { attack } from '../support/open-socket.ts'
import { expectUnharmed, survivor } from '../support/survivor.ts'

const SCRIPT = '"><script>alert(1)</script>'
const TEXTS = [
  SCRIPT,
  `'>${SCRIPT}<!--`,
  'javascript:alert(1)//<script>alert(1)</script>',
  '%0d%0aX-Evil: 1%0d%0a%0d%0a<script>alert(1)</script>',
  '{{7*7}} <%= 7*7 %>',
  '../../../../etc/passwd',
  '__proto__',
  '[::1',
  '\xff\xfe\x80',
  'x'.repeat(4000),
] as const
/** A request line cannot hold every text as it is. */
const inPath = (text: string) => encodeURIComponent(text)

type Make = (text: string) => { line: string; headers?: readonly string[]; form?: string; file?: Buffer }

describe('A hostile text', () => {
  const running = survivor()
  let image: Buffer
  before(async () => {
    image = await photo().png().toBuffer()
  })

  const pages = ['/', '/picture', '/docs', '/feedback', '/nothing', '/api/nothing', '/status']
  const PLACES: Readonly<Record<string, readonly Make[]>> = {
    'as the host': pages.map((path) => (text) => ({ line: `GET ${path}`, headers: [`Host: ${text}`] })),
    'as the host and the protocol in X-Forwarded headers': pages.map((path) => (text) => ({
      line: `GET ${path}`,
      headers: [
        'Host: x',
        `X-Forwarded-Host: ${text}`,
        `X-Forwarded-Proto: ${text}`,
        `X-Forwarded-For: ${text}`,
      ],
    })),
    'as a request id': [(text) => ({ line: 'GET /nothing', headers: ['Host: x', `X-Request-Id: ${text}`] })],
    'in a cookie': [(text) => ({ line: 'GET /', headers: ['Host: x', `Cookie: notice=${text}`] })],
    'in the path': ['/', '/labels/', '/display/', '/uploads/', '/public/', '/api/'].map((path) => (text) => ({
      line: `GET ${path}${inPath(text)}`,
    })),
    'as the name of a model': ['/picture', '/predict', '/api/predict'].map((path) => (text) => ({
      line: `POST ${path}?model=${inPath(text)}`,
      form: '',
      file: image,
    })),
    'as a URL': [
      (text) => ({ line: `POST /picture?url=${inPath(text)}` }),
      (text) => ({
        line: 'POST /picture',
        form: `--B\r\nContent-Disposition: form-data; name="url"\r\n\r\n${text}\r\n`,
      }),
    ],
    'as the name of a file': ['/', '/picture', '/predict', '/api/predict', '/predictlabel'].map(
      (path) => (text) => ({ line: `POST ${path}`, form: text.replaceAll('"', '%22'), file: image }),
    ),
    'as a report': [
      (text) => ({
        line: 'POST /feedback',
        form: `--B\r\nContent-Disposition: form-data; name="report"\r\n\r\n${text}\r\n`,
      }),
    ],
  }

  for (const [place, makes] of Object.entries(PLACES)) {
    it(`${place} adds no header to the answer, and no markup to a page`, async () => {
      for (const text of TEXTS) {
        for (const [index, make] of makes.entries()) {
          const answer = await attack(running().url, requestOf(make(text)))
          const what = `${index}: ${text.slice(0, 40)}: ${answer.text.slice(0, 300)}`
          expect(answer.status, what).to.be.within(200, 499)
          const [head = '', body = ''] = answer.text.split(/\r\n\r\n(.*)/s)
          expect(head, what).not.to.match(/^X-Evil/im)
          expect(head, what).to.match(/^X-Content-Type-Options: nosniff\r?$/im)
          if (/^Content-Type: text\/html/im.test(head)) expect(body, what).not.to.contain('<script>alert(1)')
          else expect(head, what).to.match(/^(Content-Type: application\/json|Location: \/)/im)
        }
      }
    })
  }

  it('is one line of the log, also with line breaks in the text', async () => {
    const id = 'hostile-path'
    const path = inPath('\r\n{"level":60,"msg":"forged"}\r\n\u2028')
    await attack(running().url, `GET /${path} HTTP/1.1\r\nHost: x\r\nX-Request-Id: ${id}\r\n\r\n`)
    await expectUnharmed(running())
    const lines = running().logs.filter(({ requestId, msg }) => requestId === id || msg === 'forged')
    expect(lines.map(({ msg }) => msg)).to.deep.equal(['request'])
  })

  it('leaves the service unharmed', () => expectUnharmed(running()))
})

/** `form` is the body of the form, or the name of the file when there is one. */
function requestOf({ line, headers = ['Host: x'], form, file }: ReturnType<Make>): Buffer {
  const part =
    file && `--B\r\nContent-Disposition: form-data; name="${nameOf(line)}"; filename="${form}"\r\n\r\n`
  const body = Buffer.concat([
    Buffer.from(part ?? form ?? '', 'latin1'),
    file ?? Buffer.alloc(0),
    Buffer.from('\r\n--B--\r\n'),
  ])
  const isForm = form !== undefined
  const lines = [
    `${line} HTTP/1.1`,
    ...headers,
    'Accept: text/html',
    ...(isForm ? ['Content-Type: multipart/form-data; boundary=B'] : []),
    ...(line.startsWith('POST') ? [`Content-Length: ${isForm ? body.length : 0}`] : []),
  ]
  return Buffer.concat([
    Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'),
    isForm ? body : Buffer.alloc(0),
  ])
}

function nameOf(line: string): string {
  return /^POST \/(predict)?(\?| |$)/.test(line) ? 'file' : 'image'
}
