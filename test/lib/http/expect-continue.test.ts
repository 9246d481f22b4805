import { once } from 'node:events'
import type { Socket } from 'node:net'
import { expect } from 'chai'
import { openSocket } from '../../support/open-socket.ts'
import { type Service, scripted, startService, until } from '../../support/service.ts'

const KEY = 'a-key-of-the-tests'
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'

describe('A client that sends "Expect: 100-continue" and waits', () => {
  let service: Service
  before(async () => {
    service = await startService({
      ...scripted({}),
      MAX_BODY_BYTES: '1mb',
      API_KEYS: KEY,
      RATE_LIMIT: '1000',
    })
    await service.ready()
  })
  after(() => service.stop())

  const head = (line: string, ...headers: string[]) =>
    [`${line} HTTP/1.1`, 'Host: x', 'Expect: 100-continue', ...headers, '', ''].join('\r\n')

  const refusals: Record<string, [number, string]> = {
    'a body that is too large': [413, head('POST /model', `X-Api-Key: ${KEY}`, 'Content-Length: 1048577')],
    'no key': [401, head('POST /model', 'Content-Length: 5')],
    'an unknown path': [404, head('POST /nothing', `X-Api-Key: ${KEY}`, 'Content-Length: 5')],
    'a method that the path does not take': [
      405,
      head('PUT /model', `X-Api-Key: ${KEY}`, 'Content-Length: 5'),
    ],
    'an encoded body': [
      415,
      head('POST /model', `X-Api-Key: ${KEY}`, 'Content-Encoding: gzip', 'Content-Length: 5'),
    ],
    'a parameter that is wrong': [400, head('POST /model?top=x', `X-Api-Key: ${KEY}`, 'Content-Length: 5')],
    'an answer that is not acceptable': [
      406,
      head('POST /model', `X-Api-Key: ${KEY}`, 'Accept: image/png', 'Content-Length: 5'),
    ],
    'a path that cannot be read': [400, head('POST /%zz', `X-Api-Key: ${KEY}`, 'Content-Length: 5')],
    'a body in chunks and no key': [401, head('POST /model', 'Transfer-Encoding: chunked')],
  }
  for (const [what, [status, request]] of Object.entries(refusals)) {
    it(`is refused at once for ${what}, without being asked for the body`, async () => {
      const text = await answerTo(service, request)
      expect(text).to.match(new RegExp(`^HTTP/1\\.1 ${status} `))
      expect(text)
        .to.match(/\r\nconnection: close\r\n/i)
        .and.contain('ERR_')
      expect(text).to.not.contain('100 Continue')
    })
  }

  it('is refused at once over the limit of its rate', async () => {
    const limited = await startService({ ...scripted({}), RATE_LIMIT: '1' })
    await limited.ready()
    expect((await fetch(`${limited.url}/model`, { method: 'POST', body: 'x' })).status).to.equal(200)
    const text = await answerTo(limited, head('POST /model', 'Content-Length: 5'))
    expect(text)
      .to.match(/^HTTP\/1\.1 429 /)
      .and.match(/\r\nconnection: close\r\n/i)
    await limited.stop()
  })

  it('is asked for a good body, answered, and served again on the same connection', async () => {
    const socket = openSocket(service.url)
    const text = collect(socket)
    for (const body of ['first', 'again']) {
      const start = text().length
      socket.write(head('POST /model', `X-Api-Key: ${KEY}`, 'Content-Length: 5'))
      await until(() => text().length > start, '100 Continue')
      expect(text().slice(start)).to.equal(CONTINUE)
      socket.write(body)
      await until(() => text().slice(start).includes(`"prediction":"${body}"`), 'the answer')
      expect(text().slice(start + CONTINUE.length))
        .to.match(/^HTTP\/1\.1 200 OK\r\n/)
        .and.not.match(/connection: close/i)
    }
    socket.destroy()
  })

  it('is asked for a chunked body, and refused when the body turns out too large', async () => {
    const socket = openSocket(service.url)
    const text = collect(socket)
    socket.write(head('POST /model', `X-Api-Key: ${KEY}`, 'Transfer-Encoding: chunked'))
    await until(() => text() === CONTINUE, '100 Continue')
    socket.write(`100001\r\n${'x'.repeat(0x100001)}\r\n0\r\n\r\n`)
    await until(() => /HTTP\/1\.1 413 /.test(text()), 'the refusal')
    socket.destroy()
  })

  it('is answered on routes that read no body, such as GET', async () => {
    const text = await answerTo(service, head('GET /healthz'))
    expect(text).to.match(/^HTTP\/1\.1 200 /)
  })
})

/** What comes to a client that sends its headers and nothing more. */
async function answerTo({ url }: Service, request: string): Promise<string> {
  const socket = openSocket(url)
  const text = collect(socket)
  await once(socket, 'connect')
  socket.write(request)
  await until(() => /\r\n\r\n./s.test(text()), 'an answer')
  socket.destroy()
  return text()
}

function collect(socket: Socket): () => string {
  let received = ''
  socket.setEncoding('latin1').on('data', (text) => (received += text))
  return () => received
}
