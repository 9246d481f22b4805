import { request } from 'node:http'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { expect } from 'chai'
import { PUBLIC_FILES } from '../../../lib/pages/public-files.ts'
import { type Service, scripted, startService } from '../../support/service.ts'

describe('A page', () => {
  let service: Service

  before(async () => {
    service = await startService(scripted({}))
    await service.ready()
  })
  after(() => service.stop())

  /** Adds no headers, as fetch would, and leaves the body compressed. */
  const get = (path: string, headers: Record<string, string> = {}) =>
    new Promise<{ status: number; headers: Record<string, unknown>; body: Buffer }>((resolve, reject) => {
      const asked = request(service.url + path, { headers: { accept: 'text/html', ...headers } })
      asked.on('error', reject).on('response', async (response) => {
        const body = Buffer.concat(await response.toArray())
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body })
      })
      asked.end()
    })

  for (const path of ['/', '/vgg', '/model', '/status']) {
    it(`is compressed for clients that accept compression: ${path}`, async () => {
      const [plain, brotli, gzip] = await Promise.all([
        get(path),
        get(path, { 'accept-encoding': 'gzip, br' }),
        get(path, { 'accept-encoding': 'gzip' }),
      ])
      expect(plain.headers).not.to.have.property('content-encoding')
      expect(brotli.headers).to.include({
        'content-encoding': 'br',
        'content-type': 'text/html; charset=utf-8',
      })
      expect(brotli.headers.vary).to.contain('Accept-Encoding')
      expect(brotliDecompressSync(brotli.body).toString()).to.contain('<!doctype html>')
      expect(gunzipSync(gzip.body).toString()).to.contain('<!doctype html>')
      expect(brotli.body.length).to.be.below(plain.body.length / 2)
    })
  }

  for (const path of ['/', '/vgg', '/model']) {
    it(`is not sent again to a client that has it: ${path}`, async () => {
      const { headers } = await get(path, { 'accept-encoding': 'br' })
      const again = await get(path, { 'if-none-match': String(headers.etag), 'accept-encoding': 'br' })
      expect([again.status, again.body.length]).to.deep.equal([304, 0])
      expect(again.headers).to.include({ etag: headers.etag, vary: headers.vary })
    })
  }

  it('is sent when the ETag belongs to another page', async () => {
    const { headers } = await get('/model')
    expect((await get('/', { 'if-none-match': String(headers.etag) })).status).to.equal(200)
  })

  it('varies by "Accept", so that a cache does not mix up HTML and JSON', async () => {
    const page = await get('/')
    const json = await get('/', { accept: 'application/json', 'if-none-match': String(page.headers.etag) })
    expect(json.status).to.equal(200)
    expect([json.headers.vary, page.headers.vary]).to.deep.equal(['Accept', 'Accept, Accept-Encoding'])
  })

  it('with figures or a flash message is not cached', async () => {
    for (const answer of [await get('/status'), await get('/', { cookie: 'notice=no-file' })]) {
      expect(answer.headers).to.include({ 'cache-control': 'no-store' }).and.not.to.have.property('etag')
    }
  })

  it('preloads all modules that its scripts import', async () => {
    const page = (await get('/model')).body.toString()
    const named = [...page.matchAll(/modulepreload" href="([^"]+)"/g)].map(([, path = '']) => path)
    const scripts = [PUBLIC_FILES.url('model.js'), ...named]
    for (const script of scripts) {
      const text = (await get(script)).body.toString()
      for (const [, name = ''] of text.matchAll(/from '\.\/([^']+)'/g)) {
        expect(named, `${name}, which ${script} imports`).to.include(PUBLIC_FILES.url(name))
      }
    }
    expect(named).to.have.length.above(8)
  })
})
