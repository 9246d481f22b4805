import { request } from 'node:http'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { expect } from 'chai'
import { type Service, scripted, startService } from '../../support/service.ts'

interface Got {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Buffer
}

describe('The files of the pages', () => {
  let service: Service
  let style: string

  before(async () => {
    service = await startService(scripted({}))
    const page = (await get('/model', { accept: 'text/html' })).body.toString()
    style = /\/public\/[^"]+\/style\.css/.exec(page)?.[0] ?? ''
  })
  after(() => service.stop())

  /** Sends the path as it is: fetch would tidy it up. */
  const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    new Promise<Got>((resolve, reject) => {
      const { hostname, port } = new URL(service.url)
      const asked = request({ hostname, port, path, headers, method }, async (response) => {
        const body = Buffer.concat(await response.toArray())
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body })
      })
      asked.on('error', reject).end()
    })

  it('are cached forever, under a URL that changes with their content', async () => {
    const { status, headers } = await get(style)
    expect(status).to.equal(200)
    expect(headers['cache-control']).to.equal('public, max-age=31536000, immutable')
    expect(headers['content-type']).to.equal('text/css; charset=utf-8')
  })

  it('are revalidated under any other URL', async () => {
    const { headers } = await get('/public/style.css')
    expect(headers['cache-control']).to.equal('no-cache')
    expect((await get('/public/AAAAAAAAAAAA/style.css')).headers['cache-control']).to.equal('no-cache')
  })

  it('are compressed for clients that accept compression', async () => {
    const plain = await get(style)
    const brotli = await get(style, { 'accept-encoding': 'gzip, deflate, br' })
    const gzip = await get(style, { 'accept-encoding': 'gzip' })
    expect(brotli.headers).to.include({ 'content-encoding': 'br', vary: 'Accept-Encoding' })
    expect(gzip.headers['content-encoding']).to.equal('gzip')
    expect(plain.headers).not.to.have.property('content-encoding')
    expect(brotliDecompressSync(brotli.body).equals(plain.body)).to.equal(true)
    expect(gunzipSync(gzip.body).equals(plain.body)).to.equal(true)
    expect(brotli.body.length).to.be.below(plain.body.length / 2)
  })

  it('are not sent again to a client that has them', async () => {
    const etag = String((await get(style)).headers.etag)
    const again = await get(style, { 'if-none-match': etag })
    expect([again.status, again.body.length]).to.deep.equal([304, 0])
  })

  it('answer HEAD without a body', async () => {
    const { status, headers, body } = await get(style, {}, 'HEAD')
    expect([status, body.length]).to.deep.equal([200, 0])
    expect(Number(headers['content-length'])).to.be.above(1000)
  })

  it('have the content types that browsers require', async () => {
    const types = await Promise.all(
      ['model.js', 'favicon.svg', 'examples/cat.jpg'].map(
        async (file) => (await get(`/public/${file}`)).headers['content-type'],
      ),
    )
    expect(types).to.deep.equal([
      'text/javascript; charset=utf-8',
      'image/svg+xml; charset=utf-8',
      'image/jpeg',
    ])
  })

  for (const path of [
    '/public/../package.json',
    '/public/%2e%2e/package.json',
    '/public/..%2fpackage.json',
    '/public/..\\package.json',
    '/public//etc/passwd',
    '/public/examples/../style.css',
    '/public/examples/README.md',
    '/public/examples',
    '/public/__proto__',
    '/public/%00',
    '/public/',
  ]) {
    it(`include no other files: ${path} gets 404`, async () => {
      expect((await get(path)).status).to.equal(404)
    })
  }

  it('refuse POST', async () => {
    const { status, headers } = await get(style, {}, 'POST')
    expect([status, headers.allow]).to.deep.equal([405, 'GET, HEAD'])
  })
})
