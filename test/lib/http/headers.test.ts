import { expect } from 'chai'
import { type Service, startService, until } from '../../support/service.ts'

describe('headers and error pages', () => {
  let service: Service

  before(async () => {
    service = await startService()
  })
  after(() => service.stop())

  const idFor = async (given: string) => {
    const response = await fetch(`${service.url}/healthz`, { headers: { 'X-Request-Id': given } })
    return response.headers.get('X-Request-Id')
  }

  it("takes over a proxy's request id when it is safe", async () => {
    expect(await idFor('abc-123.x:y')).to.equal('abc-123.x:y')
    expect(await idFor('<script>')).to.match(/^[\w-]{21}$/)
    expect(await idFor('x'.repeat(65))).to.match(/^[\w-]{21}$/)
  })

  it('makes ids of letters and digits alone, which no spreadsheet takes for a formula', async () => {
    const ids = await Promise.all(Array.from({ length: 200 }, () => idFor('')))
    expect(ids.filter((id) => !/^[0-9A-Za-z]{21}$/.test(id ?? ''))).to.deep.equal([])
    expect(new Set(ids).size).to.equal(200)
  })

  it('forbids inline code, framing and type sniffing, and has no HSTS header', async () => {
    const { headers } = await fetch(`${service.url}/healthz`)
    expect(headers.get('Content-Security-Policy'))
      .to.contain("default-src 'self'")
      .and.not.to.contain('unsafe')
    expect(headers.get('Content-Security-Policy')).not.to.contain('upgrade-insecure-requests')
    expect(headers.get('X-Content-Type-Options')).to.equal('nosniff')
    expect(headers.get('X-Frame-Options')).to.equal('DENY')
    expect(headers.has('Strict-Transport-Security')).to.equal(false)
  })

  it('sends the same headers with an error', async () => {
    const { status, headers } = await fetch(`${service.url}/nothing`)
    expect(status).to.equal(404)
    expect(headers.get('Content-Security-Policy')).to.contain("default-src 'self'")
  })

  it('answers a browser with an escaped page', async () => {
    const url = `${service.url}/%3Cscript%3E&amp/x`
    const response = await fetch(url, { headers: { Accept: 'text/html,*/*;q=0.8' } })
    const page = await response.text()
    expect(response.headers.get('Content-Type')).to.match(/^text\/html/)
    expect(page).to.contain('ERR_NOT_FOUND').and.contain('&#38;amp').and.not.to.contain('<script>')
  })

  it('logs one line per request, with its id and without its query', async () => {
    await fetch(`${service.url}/healthz?token=secret`, { headers: { 'X-Request-Id': 'mine' } })
    const line = await until(() => service.logs.find(({ requestId }) => requestId === 'mine'), 'the line')
    expect(line).to.include({ method: 'GET', path: '/healthz', status: 200, bytes: 15 })
  })
})
