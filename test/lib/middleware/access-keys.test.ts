import { connect } from 'node:net'
import { expect } from 'chai'
import { type Service, scripted, startService, until } from '../../support/service.ts'

const FIRST = 'first-key-0123456789'
const SECOND = 'second+key/0123456789=='
const WRONG = 'wrong-key-0123456789'
const LARGE = 30 * 2 ** 20

describe('With API_KEYS', () => {
  let service: Service

  before(async () => {
    const script = scripted({ failures: { boom: 'ERR_SCRIPT' } })
    service = await startService({ ...script, API_KEYS: `${FIRST},${SECOND}`, LOG_LEVEL: 'trace' })
    await service.ready()
  })
  after(() => service.stop())

  const post = (headers: Record<string, string>, path = '/model', body = 'input') =>
    fetch(`${service.url}${path}`, { method: 'POST', headers, body })

  for (const [title, headers] of [
    ['Authorization: Bearer', { Authorization: `Bearer ${FIRST}` }],
    ['authorization: bearer', { authorization: `bearer ${SECOND}` }],
    ['X-Api-Key', { 'X-Api-Key': SECOND }],
    ['X-Api-Key beside the password for a proxy', { Authorization: 'Basic dTpw', 'X-Api-Key': FIRST }],
  ] as const) {
    it(`a request with one of them as "${title}" is answered`, async () => {
      expect((await post(headers)).status).to.equal(200)
    })
  }

  it('a request without any gets a 401 that says what is missing', async () => {
    const response = await post({})
    expect(response.status).to.equal(401)
    expect(response.headers.get('WWW-Authenticate')).to.equal('Bearer realm="Tandem"')
    expect(await codeOf(response)).to.equal('ERR_UNAUTHORIZED')
  })

  for (const key of [
    WRONG,
    FIRST.slice(0, -1),
    `${FIRST}x`,
    FIRST.toUpperCase(),
    `${FIRST},${SECOND}`,
    'é',
  ]) {
    it(`a request with "${key}" gets a 401 that says it is wrong`, async () => {
      for (const headers of [{ Authorization: `Bearer ${key}` }, { 'X-Api-Key': key }]) {
        const response = await post(headers)
        expect(response.status).to.equal(401)
        expect(response.headers.get('WWW-Authenticate')).to.contain('error="invalid_token"')
        expect(await codeOf(response)).to.equal('ERR_UNAUTHORIZED')
      }
    })
  }

  it('a key in the address is none', async () => {
    for (const name of ['key', 'api_key', 'access_token', 'X-Api-Key'])
      expect((await post({}, `/model?${name}=${FIRST}`)).status).to.equal(401)
  })

  it('pages, their files and the health are open, whatever key comes', async () => {
    const open = ['/', '/vgg', '/model', '/digits', '/docs', '/openapi.json', '/feedback', '/public/x.css']
    for (const path of [...open, '/healthz', '/readyz', '/vgg?url=x']) {
      for (const method of ['GET', 'HEAD'])
        expect((await fetch(`${service.url}${path}`, { method })).status, path).not.to.equal(401)
      const headers = { 'X-Api-Key': WRONG }
      expect((await fetch(`${service.url}${path}`, { headers })).status, path).not.to.equal(401)
    }
  })

  it('a preflight is open: it cannot bring a key', async () => {
    const headers = { Origin: 'https://page.example', 'Access-Control-Request-Method': 'POST' }
    const { status } = await fetch(`${service.url}/model`, { method: 'OPTIONS', headers })
    expect(status).not.to.equal(401)
  })

  it('the page of /status is open, and its figures are not', async () => {
    const asJson = { Accept: 'application/json' }
    expect((await fetch(`${service.url}/status`, { headers: asJson })).status).to.equal(401)
    const page = await fetch(`${service.url}/status`, { headers: { Accept: 'text/html' } })
    expect(page.status).to.equal(200)
    expect(await page.text()).not.to.match(/event-loop|requests per second/i)
    const withKey = { ...asJson, 'X-Api-Key': FIRST }
    expect((await fetch(`${service.url}/status`, { headers: withKey })).status).to.equal(200)
  })

  it('everything else is closed, also what does not exist yet', async () => {
    const closed = ['/metrics', '/METRICS', '/metrics/', '/%6detrics', '/uploads/x', '/display/x', '/api']
    for (const path of [...closed, '/other', '/public', '/x/public/', '/model/x', '/healthz/x', '//metrics'])
      for (const method of ['GET', 'HEAD'])
        expect((await fetch(`${service.url}${path}`, { method })).status, path).to.equal(401)
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH'])
      for (const path of ['/', '/vgg', '/healthz', '/public/x.css', '/feedback', '/other'])
        expect((await fetch(`${service.url}${path}`, { method })).status, `${method} ${path}`).to.equal(401)
    const headers = { 'X-Api-Key': FIRST }
    expect((await fetch(`${service.url}/metrics`, { headers })).status).to.equal(200)
    expect((await fetch(`${service.url}/other`, { headers })).status).to.equal(404)
  })

  it('a client that sends 30 MB before it reads gets its 401, and the connection ends', async () => {
    const answer = await sendAll(service, Buffer.alloc(LARGE))
    expect(answer)
      .to.match(/^HTTP\/1.1 401 /)
      .and.match(/connection: close/i)
      .and.contain('ERR_UNAUTHORIZED')
  })

  it('no key ever gets into the log', async () => {
    await post({ 'X-Api-Key': FIRST, 'X-Request-Id': 'failing' }, `/model?key=${SECOND}`, 'boom')
    await post({ Authorization: `Bearer ${WRONG}`, 'X-Request-Id': 'refused' })
    const lineOf = (id: string, text: string) =>
      until(
        () => service.logs.find(({ requestId, msg }) => requestId === id && msg === text),
        `"${text}" of ${id}`,
      )
    await lineOf('failing', 'request failed')
    await lineOf('failing', 'request')
    expect((await lineOf('refused', 'request')).status).to.equal(401)
    expect(JSON.stringify(service.logs)).to.not.contain(FIRST).and.not.contain(SECOND).and.not.contain(WRONG)
  })
})

describe('Without API_KEYS', () => {
  it('nothing needs a key, and one that comes is not looked at', async () => {
    const service = await startService(scripted({}))
    await service.ready()
    const headers = { Authorization: `Bearer ${WRONG}` }
    for (const path of ['/metrics', '/model'])
      expect((await fetch(`${service.url}${path}`, { headers })).status).not.to.equal(401)
    const response = await fetch(`${service.url}/model`, { method: 'POST', body: 'input' })
    expect(response.status).to.equal(200)
    await service.stop()
  })
})

async function codeOf(response: Response): Promise<string> {
  const { error } = (await response.json()) as { error: { code: string } }
  return error.code
}

/** Writes everything before it reads, as the simplest clients do. */
function sendAll({ url }: Service, body: Buffer): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(Number(port), hostname).pause().setEncoding('utf8')
    socket.once('error', reject).once('close', () => resolve(answer))
    socket.on('data', (text) => (answer += text)).pause()
    socket.write(`POST /model HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`)
    socket.write(body, () => socket.resume())
  })
}
