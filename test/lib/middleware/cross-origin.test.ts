import { existsSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { type Browser, chromium, type Page } from 'playwright-core'
import { type Service, scripted, startService } from '../../support/service.ts'

const LISTED = 'https://page.example'
const OTHER = 'https://other.example'
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)

interface Answer {
  prediction?: string
  error?: { code: string }
}

describe('Pages of other sites', () => {
  const key = 'key-0123456789abcdef'
  // Its owner has spent all requests of the minute when the errors are looked at.
  const spent = { 'X-Api-Key': 'other-0123456789abcdef' }
  let pages: Server
  let otherPages: Server
  let closed: Service
  let listing: Service
  let open: Service

  before(async () => {
    pages = await emptyPages()
    otherPages = await emptyPages()
    const origins = `${originOf(pages)},${LISTED}`
    const [one, two, three] = await Promise.all([
      startService(scripted({})),
      startService({
        ...scripted({}),
        CORS_ORIGINS: origins,
        API_KEYS: `${key},${spent['X-Api-Key']}`,
        RATE_LIMIT: '2',
      }),
      startService({ ...scripted({}), CORS_ORIGINS: '*' }),
    ])
    closed = one
    listing = two
    open = three
    await Promise.all([closed.ready(), listing.ready(), open.ready()])
  })
  after(async () => {
    for (const server of [pages, otherPages]) server.close()
    await Promise.all([closed.stop(), listing.stop(), open.stop()])
  })

  it('get no header that lets them read anything, unless CORS_ORIGINS is set', async () => {
    const { url } = closed
    for (const answer of [await get(url, LISTED), await preflight(url, LISTED), await post(url, LISTED)]) {
      expect(corsHeaders(answer)).to.deep.equal([])
      expect(answer.headers.get('Vary') ?? '').not.to.contain('Origin')
      expect(answer.headers.get('Cross-Origin-Resource-Policy')).to.equal('same-origin')
    }
  })

  describe('in a browser', () => {
    let browser: Browser

    before(async function () {
      if (CHROMIUM === undefined) return this.skip()
      browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
    })
    after(() => browser?.close())

    it('read answers and errors from a listed origin, and nothing from another', async () => {
      const page = await openPage(browser, pages)
      expect(await read(page, listing.url, key)).to.equal('200 true input')
      expect(await read(page, listing.url, 'wrong-0123456789abcdef')).to.equal('401 true ERR_UNAUTHORIZED')
      const stranger = await openPage(browser, otherPages)
      expect(await read(stranger, listing.url, key)).to.equal('blocked')
      expect(await embed(stranger, listing.url)).to.equal('blocked')
    })

    it('also embed without CORS where CORS_ORIGINS is *', async () => {
      const page = await openPage(browser, otherPages)
      expect(await read(page, open.url, 'any')).to.equal('200 true input')
      expect(await embed(page, open.url)).to.equal('opaque')
    })
  })

  it('may call from a listed origin, and read errors as well', async () => {
    const { url } = listing
    while ((await post(url, LISTED, spent)).status === 200);
    const answers = [
      await get(url, LISTED),
      await post(url, LISTED, spent),
      await post(url, LISTED),
      await get(url, LISTED, '/nothing', spent),
    ]
    expect(answers.map(({ status }) => status)).to.deep.equal([200, 429, 401, 404])
    for (const { headers } of answers) {
      expect(headers.get('Access-Control-Allow-Origin')).to.equal(LISTED)
      expect(headers.get('Vary')).to.match(/\bOrigin\b/)
      expect(headers.get('Access-Control-Expose-Headers'))
        .to.contain('X-Request-Id')
        .and.contain('Retry-After')
        .and.contain('RateLimit-Remaining')
        .and.contain('X-Error-Code')
      expect(headers.has('Access-Control-Allow-Credentials')).to.equal(false)
    }
  })

  it('have their preflight answered without a key', async () => {
    const { status, headers } = await preflight(listing.url, LISTED)
    expect(status).to.equal(204)
    expect(headers.get('Access-Control-Allow-Origin')).to.equal(LISTED)
    expect(headers.get('Access-Control-Allow-Methods')).to.equal('GET,HEAD,POST')
    expect(headers.get('Access-Control-Allow-Headers')).to.equal(
      'Content-Type,Authorization,X-Api-Key,X-Request-Id',
    )
    expect(headers.get('Vary')).to.match(/\bOrigin\b/)
  })

  for (const origin of [
    OTHER,
    `${LISTED}.evil.example`,
    'http://page.example',
    `${LISTED}:8443`,
    'null',
    '',
  ]) {
    it(`get no such header from "${origin}", which is not listed`, async () => {
      for (const answer of [await get(listing.url, origin), await preflight(listing.url, origin)]) {
        expect(corsHeaders(answer)).to.deep.equal([])
        expect(answer.headers.get('Vary')).to.match(/\bOrigin\b/)
      }
    })
  }

  it('may all call when CORS_ORIGINS is *', async () => {
    for (const answer of [await get(open.url, OTHER), await preflight(open.url, OTHER)]) {
      expect(answer.headers.get('Access-Control-Allow-Origin')).to.equal('*')
      expect(answer.headers.has('Access-Control-Allow-Credentials')).to.equal(false)
    }
  })
})

function get(
  url: string,
  origin: string,
  path = '/healthz',
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${url}${path}`, { headers: { Origin: origin, ...headers } })
}

function post(url: string, origin: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}/model`, { method: 'POST', headers: { Origin: origin, ...headers }, body: 'input' })
}

function preflight(url: string, origin: string): Promise<Response> {
  const asked = { 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'x-api-key' }
  return fetch(`${url}/model`, { method: 'OPTIONS', headers: { Origin: origin, ...asked } })
}

function corsHeaders({ headers }: Response): string[] {
  return [...headers.keys()].filter((name) => name.startsWith('access-control-'))
}

async function emptyPages(): Promise<Server> {
  const server = createServer((_req, res) => {
    res.setHeader('Content-Type', 'text/html').end('<!doctype html><title>x</title>')
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  return server
}

function originOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function openPage(browser: Browser, server: Server): Promise<Page> {
  const page = await browser.newPage()
  await page.goto(originOf(server))
  return page
}

/** What a script gets out of a POST with a preflight: status, whether it sees the request's id, the answer or its code. */
function read(page: Page, url: string, key: string): Promise<string> {
  return page.evaluate(
    async ([url, key]) => {
      const init = { method: 'POST', headers: { 'X-Api-Key': key }, body: 'input' }
      const response = await fetch(`${url}/model`, init).catch(() => undefined)
      if (response === undefined) return 'blocked'
      const { prediction, error } = (await response.json()) as Answer
      return `${response.status} ${response.headers.has('X-Request-Id')} ${prediction ?? error?.code}`
    },
    [url, key] as const,
  )
}

/** As <img> and <link> load: without CORS, but under Cross-Origin-Resource-Policy. */
function embed(page: Page, url: string): Promise<string> {
  return page.evaluate(
    (url) =>
      fetch(`${url}/healthz`, { mode: 'no-cors' }).then(
        ({ type }) => type,
        () => 'blocked',
      ),
    url,
  )
}
