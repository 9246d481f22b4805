import { request } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { expect } from 'chai'
import { StatusAnswer } from '../../../lib/routes/status.ts'
import { type Service, scripted, startService, until } from '../../support/service.ts'

const KEY = 'a-key-that-is-right'
const JSON_ONLY = { Accept: 'application/json', 'X-Api-Key': KEY }

describe('GET /status', () => {
  let service: Service
  const status = async (query = '') => {
    const response = await fetch(`${service.url}/status${query}`, { headers: JSON_ONLY })
    return { response, answer: StatusAnswer.parse(await response.json()) }
  }

  before(async () => {
    service = await startService({
      ...scripted({ predictMs: 5, failures: { broken: 'ERR_IMAGE_DECODE' } }),
      API_KEYS: KEY,
    })
    await service.ready()
    for (const body of ['a', 'b', 'broken'])
      await fetch(`${service.url}/model`, { method: 'POST', body, headers: JSON_ONLY })
    await until(async () => {
      const { t, models } = (await status()).answer.samples
      return t.length >= 2 && sum(models.model?.failures ?? []) > 0
    }, 'samples with the requests in them')
  })
  after(() => service.stop())

  it('answers programs with figures that match the schema, and never from a cache', async () => {
    const { response, answer } = await status()
    expect(response.headers.get('Cache-Control')).to.equal('no-store')
    expect(response.headers.get('Vary')).to.contain('Accept')
    expect(answer).to.include({ interval: 1000, draining: false })
    expect(answer.now - answer.startedAt).to.be.within(0, 60_000)
    const [model] = answer.models
    expect(model).to.include({ name: 'model', state: 'ready', device: 'cpu', restarts: 0, queued: 0 })
    expect(model?.workers[0]?.pid).to.be.a('number')
    const { calls = [], failures = [] } = answer.samples.models.model ?? {}
    expect(sum(calls)).to.be.greaterThan(0)
    expect(sum(failures)).to.be.greaterThan(0)
    expect(sum(answer.samples.refused)).to.be.greaterThan(0)
  })

  it('answers with only the samples after a given time, which are few', async () => {
    const { answer } = await status()
    const since = answer.samples.t.at(-1) ?? 0
    const newer = await until(async () => {
      const { samples } = (await status(`?since=${since}`)).answer
      return samples.t.length > 0 ? samples : undefined
    }, 'a newer sample')
    expect(newer.t[0]).to.be.greaterThan(since)
    expect(newer.t).to.have.length(1)
    const { bytes } = await rawGet(`${service.url}/status?since=${since}`)
    expect(bytes.length).to.be.lessThan(1000)
  })

  it('refuses an invalid time', async () => {
    const response = await fetch(`${service.url}/status?since=yesterday`, { headers: JSON_ONLY })
    expect(response.status).to.equal(400)
    expect(response.headers.get('X-Error-Code')).to.equal('ERR_BAD_REQUEST')
  })

  it('answers browsers with a page that has the same figures without a script', async () => {
    const response = await fetch(`${service.url}/status`, {
      headers: { 'X-Api-Key': KEY, Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' },
    })
    const page = await response.text()
    expect(response.headers.get('Content-Type')).to.contain('text/html')
    expect(page).to.match(/<h2[^>]*><a href="\/model">model<\/a><\/h2>/)
    expect(page).to.match(/data-figure="totalP95" data-kind="ms">\d/)
    expect(page).to.match(/data-figure="memory" data-kind="bytes">\d+(\.\d)? MB</)
    expect(page).to.match(/<noscript><a [^>]*href="\/status">Refresh<\/a><\/noscript>/)
  })

  it('compresses a long answer', async () => {
    const { headers, bytes } = await rawGet(`${service.url}/status`)
    expect(headers['content-encoding']).to.equal('gzip')
    const plain = gunzipSync(bytes)
    expect(bytes.length).to.be.lessThan(plain.length / 2)
    StatusAnswer.parse(JSON.parse(plain.toString()))
    const identity = { ...JSON_ONLY, 'Accept-Encoding': 'identity' }
    const response = await fetch(`${service.url}/status`, { headers: identity })
    expect(response.headers.get('Content-Encoding')).to.equal(null)
  })

  it('gives figures only to clients with a key, if keys are set', async () => {
    for (const key of ['', 'a-key-that-is-wrong']) {
      const response = await fetch(`${service.url}/status`, { headers: { ...JSON_ONLY, 'X-Api-Key': key } })
      expect(response.status).to.equal(401)
      expect(response.headers.get('X-Error-Code')).to.equal('ERR_UNAUTHORIZED')
      expect(response.headers.get('WWW-Authenticate')).to.match(/^Bearer/)
    }
    const page = await (await fetch(`${service.url}/status`, { headers: { Accept: 'text/html' } })).text()
    expect(page).not.to.contain('data-figure')
  })

  it('is in /openapi.json', async () => {
    const document = (await (await fetch(`${service.url}/openapi.json`)).json()) as {
      paths: Record<string, { get: { responses: Record<string, { content: object }> } }>
    }
    const content = document.paths['/status']?.get.responses['200']?.content
    expect(content).to.have.all.keys('application/json', 'text/html')
  })
})

function sum(figures: readonly (number | null)[]): number {
  return figures.reduce<number>((total, figure) => total + (figure ?? 0), 0)
}

/** fetch unpacks what it gets. */
function rawGet(url: string) {
  return new Promise<{ headers: Record<string, unknown>; bytes: Buffer }>((resolve, reject) => {
    const headers = { ...JSON_ONLY, 'Accept-Encoding': 'gzip' }
    request(url, { headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve({ headers: response.headers, bytes: Buffer.concat(chunks) }))
    })
      .on('error', reject)
      .end()
  })
}
