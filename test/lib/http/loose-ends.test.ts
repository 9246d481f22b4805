import { createHash } from 'node:crypto'
import { expect } from 'chai'
import sharp from 'sharp'
import { type Service, startService } from '../../support/service.ts'

const BROWSER = { Accept: 'text/html' }

describe('Requests in odd forms', () => {
  let service: Service
  let picture: Buffer
  let printed = ''

  before(async () => {
    picture = await sharp({ create: { width: 40, height: 40, channels: 3, background: 'white' } })
      .png()
      .toBuffer()
    service = await startService({ MODELS: 'digits', PREDICT_MODEL: 'digits', INFER_MODEL: 'digits' })
    service.process.stderr?.on('data', (text) => (printed += text))
    await service.ready()
  })
  after(() => service.stop())

  const post = (path: string, body: Buffer | FormData | string, headers: Record<string, string> = {}) =>
    fetch(service.url + path, { method: 'POST', body, headers, redirect: 'manual' })
  const form = () => {
    const form = new FormData()
    form.append('file', new Blob([new Uint8Array(picture)]), 'picture.png')
    return form
  }

  it('a malformed form redirects to the home page', async () => {
    const answer = await post('/', 'x', { 'Content-Type': 'multipart/form-data' })
    expect([answer.status, answer.headers.get('Location')]).to.deep.equal([302, '/'])
  })

  it('an upload with ?top= gets a page with as many guesses', async () => {
    const lines = async (query: string) =>
      [...(await (await post(`/${query}`, form())).text()).matchAll(/<dt>\d<\/dt>/g)].length
    expect(await lines('')).to.equal(0)
    expect(await lines('?top=4')).to.equal(3)
  })

  it('an unknown model gets 404, not the page of a loading model', async () => {
    const answer = await post('/digits?model=none', picture, BROWSER)
    const page = await answer.text()
    expect(answer.status).to.equal(404)
    expect(page)
      .to.contain('ERR_MODEL_UNKNOWN')
      .and.not.match(/loaded/)
  })

  it('a picture is kept only if a page will show it', async () => {
    const other = await sharp(picture).negate().png().toBuffer()
    const file = `${createHash('md5').update(other).digest('hex')}.png`
    const isKept = async () => (await fetch(`${service.url}/uploads/${file}`)).ok
    await post('/predictlabel', other, BROWSER)
    await post('/digits', other)
    expect(await isKept()).to.equal(false)
    await post('/digits', other, BROWSER)
    expect(await isKept()).to.equal(true)
  })

  it('a command to paste never has a protocol from a forged header', async () => {
    const other = await startService({ MODELS: 'digits', TRUST_PROXY: '1' })
    const headers = { ...BROWSER, 'X-Forwarded-Proto': 'http://x; rm -rf ~ #' }
    expect(await (await fetch(`${other.url}/docs`, { headers })).text()).not.to.contain('rm -rf')
    await other.stop()
  })

  it('an Accept header with thousands of commas is ignored', async () => {
    const answer = await post('/digits', picture, { Accept: `a/b;x="${','.repeat(15_000)}` })
    expect(answer.headers.get('Content-Type')).to.match(/^application\/json/)
  })

  it('none of them makes Node warn', async () => {
    const states = { Accept: 'application/x-ndjson' }
    await (await post('/digits', picture, states)).text()
    const images = Array.from({ length: 30 }, () => `data:;base64,${picture.toString('base64')}`)
    expect((await post('/api/infer', JSON.stringify({ images }))).status).to.equal(200)
    expect(printed).to.equal('')
  })
})
