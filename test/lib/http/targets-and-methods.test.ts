import { expect } from 'chai'
import { ask } from '../../support/raw-http.ts'
import { type Service, scripted, startService, until } from '../../support/service.ts'

const KEY = 'a-key-of-the-tests'

describe('The path of a request', () => {
  let service: Service
  before(async () => {
    service = await startService({ ...scripted({}), API_KEYS: KEY })
    await service.ready()
  })
  after(() => service.stop())

  it('may have percent codes of ordinary characters', async () => {
    expect((await ask(service.url, 'GET /%76%67g')).status).to.equal(200)
    expect((await ask(service.url, 'GET /he%61lthz?x=%76')).json()).to.deep.equal({ status: 'ok' })
    const answer = await ask(service.url, 'POST /%6dodel?top=%33', [`X-Api-Key: ${KEY}`], 'picture')
    expect(answer.json()).to.deep.include({ model: 'model', prediction: 'picture' })
  })

  it('is the same for the check of keys and in the log, however it is spelled', async () => {
    const id = { plain: 'spelled-plainly', coded: 'spelled-in-codes' }
    expect((await ask(service.url, 'GET /metrics', [`X-Request-Id: ${id.plain}`])).status).to.equal(401)
    expect((await ask(service.url, 'GET /%6d%65trics', [`X-Request-Id: ${id.coded}`])).status).to.equal(401)
    const line = await until(() => service.logs.find(({ requestId }) => requestId === id.coded), 'the line')
    expect(line.path).to.equal('/metrics')
  })

  it('is a different path if a percent code stands for a delimiter', async () => {
    const headers = [`X-Api-Key: ${KEY}`]
    expect((await ask(service.url, 'GET /public%2fstyle.css', headers)).status).to.equal(404)
    expect((await ask(service.url, 'GET /healthz%3fx', headers)).status).to.equal(404)
    // Decoded once, not twice.
    expect((await ask(service.url, 'GET /%2576gg', headers)).status).to.equal(404)
  })

  for (const path of ['/%zz', '/%', '/vgg%4', '/%ff', '/%c3%28']) {
    it(`is refused as ${path}, whose codes stand for no character`, async () => {
      const answer = await ask(service.url, `GET ${path}`)
      expect(answer.status).to.equal(400)
      expect((answer.json() as { error: object }).error).to.include({
        code: 'ERR_BAD_REQUEST',
        message: `The path ${path} has a percent code that stands for no character.`,
      })
    })
  }
})

describe('OPTIONS', () => {
  let service: Service
  before(async () => {
    service = await startService({ ...scripted({}), API_KEYS: KEY })
  })
  after(() => service.stop())

  const cases: Record<string, string> = {
    '/model': 'GET, HEAD, POST',
    '/healthz': 'GET, HEAD',
    '/api/predict': 'POST',
    '/%76gg': 'GET, HEAD, POST',
    '*': 'GET, HEAD, POST',
  }
  for (const [path, allow] of Object.entries(cases)) {
    it(`${path} is answered with 204 and the methods, without a key and without CORS`, async () => {
      const answer = await ask(service.url, `OPTIONS ${path}`)
      expect([answer.status, answer.headers.get('allow')]).to.deep.equal([204, allow])
      expect(answer.headers.has('access-control-allow-origin')).to.equal(false)
    })
  }

  it('of a path that is not served is answered with 404', async () => {
    expect((await ask(service.url, 'OPTIONS /nothing')).status).to.equal(404)
  })
})

describe('HEAD', () => {
  let service: Service
  before(async () => {
    service = await startService(scripted({}))
    await service.ready()
  })
  after(() => service.stop())

  it('is answered wherever GET is, with the status and the headers of GET and without a body', async () => {
    const { paths } = (await ask(service.url, 'GET /openapi.json')).json() as {
      paths: Record<string, Record<string, unknown>>
    }
    const gets = Object.keys(paths).filter((path) => 'get' in (paths[path] ?? {}))
    expect(gets).to.have.length.greaterThan(10)
    for (const template of [...gets, '/public/style.css', '/nothing']) {
      const path = template.replace(/\{\w+\}/g, 'x.png')
      const get = await ask(service.url, `GET ${path}`, ['Connection: close'])
      const head = await ask(service.url, `HEAD ${path}`, ['Connection: close'])
      expect(head.status, path).to.equal(get.status)
      expect(head.headers.get('content-type'), path).to.equal(get.headers.get('content-type'))
      expect([...head.headers.keys()], path).to.include.members([...get.headers.keys()].filter(isSteady))
    }
  })

  /** An answer without a body needs no statement of how its body is sent. */
  const isSteady = (name: string) => name !== 'transfer-encoding'
})
