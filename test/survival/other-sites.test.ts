import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { expect } from 'chai'
import { type Browser, type BrowserContext, chromium } from 'playwright-core'
import { CHROMIUM, describeInBrowser } from '../support/browser.ts'
import { exchange } from '../support/raw-http.ts'
import { type Service, scripted, startService, until } from '../support/service.ts'

const EVIL = 'http://evil.example'

describe('Requests for a host', () => {
  let service: Service
  let named: Service
  let open: Service
  let proxied: Service
  let namedProxied: Service
  before(async () => {
    const start = (env: Record<string, string> = {}) => startService({ ...scripted({}), ...env })
    const names = 'tandem.example.com,.example.org'
    ;[service, named, open, proxied, namedProxied] = await Promise.all([
      start(),
      start({ ALLOWED_HOSTNAMES: names }),
      start({ ALLOWED_HOSTNAMES: '*' }),
      start({ TRUST_PROXY: '1' }),
      start({ TRUST_PROXY: '1', ALLOWED_HOSTNAMES: names }),
    ])
  })
  after(() => Promise.all([service, named, open, proxied, namedProxied].map((one) => one.stop())))

  const statusOf = async ({ url }: Service, ...headers: string[]) => {
    const answer = await exchange(url, Buffer.from(['GET /status HTTP/1.1', ...headers, '', ''].join('\r\n')))
    if (answer.status === 421) expect(answer.headers.get('x-error-code')).to.equal('ERR_HOST')
    return answer.status
  }

  const EVILS = [
    'evil.example',
    'EVIL.example:2017',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evil.example.',
  ]
  for (const host of [...EVILS, 'a b', 'x@evil.example', '[::1', '']) {
    const status = host === '' ? 200 : 421
    it(`"${host}" are answered with ${status}, whatever the Host of a proxy says`, async () => {
      expect(await statusOf(service, `Host: ${host}`)).to.equal(status)
      if (host !== '')
        expect(await statusOf(service, `Host: ${host}`, 'X-Forwarded-Host: localhost')).to.equal(421)
    })
  }

  it('say which setting can add the name', async () => {
    const request = 'GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n'
    const answer = await exchange(service.url, Buffer.from(request))
    expect(answer.text).to.contain('evil.example').and.to.contain('ALLOWED_HOSTNAMES')
  })

  const safe = [
    '127.0.0.1',
    '127.0.0.1:2017',
    '192.168.1.5:80',
    '[::1]:2017',
    '127.1',
    'localhost',
    'LocalHost.:2017',
  ]
  for (const host of [...safe, 'tandem', 'api.localhost', 'printer.local', 'tandem.internal', hostname()]) {
    it(`"${host}" are answered: no stranger can make this host lead elsewhere`, async () => {
      expect(await statusOf(service, `Host: ${host}`)).to.equal(200)
    })
  }

  it('of ALLOWED_HOSTNAMES are answered, or for any host with *', async () => {
    for (const host of ['tandem.example.com', 'Tandem.Example.com:8080', 'a.b.example.org', 'localhost'])
      expect(await statusOf(named, `Host: ${host}`), host).to.equal(200)
    for (const host of ['example.com', 'x.tandem.example.com', 'example.org', 'evilexample.org'])
      expect(await statusOf(named, `Host: ${host}`), host).to.equal(421)
    expect(await statusOf(open, 'Host: evil.example')).to.equal(200)
  })

  it('behind a proxy are its choice, unless ALLOWED_HOSTNAMES names some', async () => {
    expect(await statusOf(proxied, 'Host: tandem.example.com')).to.equal(200)
    expect(await statusOf(namedProxied, 'Host: inner', 'X-Forwarded-Host: tandem.example.com')).to.equal(200)
    expect(await statusOf(namedProxied, 'Host: inner', 'X-Forwarded-Host: evil.example')).to.equal(421)
  })
})

describe('POST requests', () => {
  let service: Service
  let listing: Service
  let open: Service
  before(async () => {
    const start = (env: Record<string, string> = {}) => startService({ ...scripted({}), ...env })
    ;[service, listing, open] = await Promise.all([
      start(),
      start({ CORS_ORIGINS: EVIL }),
      start({ CORS_ORIGINS: '*' }),
    ])
    await Promise.all([service, listing, open].map((one) => one.ready()))
  })
  after(() => Promise.all([service, listing, open].map((one) => one.stop())))

  const post = async ({ url }: Service, headers: Record<string, string>, path = '/model') => {
    const answer = await fetch(url + path, { method: 'POST', headers, body: 'input' })
    return `${answer.status} ${answer.headers.get('X-Error-Code') ?? ''}`.trim()
  }
  const own = () => service.url
  const REFUSED = '403 ERR_CROSS_SITE'

  it('of pages of other sites are refused before anything is read, in whichever way the browser says so', async () => {
    const others: Record<string, string>[] = [
      { Origin: EVIL },
      { Origin: 'null' },
      { Origin: own().replace(/\d+$/, '1') },
      { Origin: `${EVIL.replace('evil', 'x'.repeat(2000))}` },
      { Origin: EVIL, 'Sec-Fetch-Site': 'cross-site' },
      { Origin: own(), 'Sec-Fetch-Site': 'same-site' },
      { 'Sec-Fetch-Site': 'cross-site' },
    ]
    for (const headers of others)
      expect(await post(service, headers), JSON.stringify(headers)).to.equal(REFUSED)
    for (const path of ['/api/predict', '/api/infer', '/predictlabel', '/predict', '/feedback', '/'])
      expect(await post(service, { Origin: EVIL }, path), path).to.equal(REFUSED)
  })

  it('of own pages, of listed sites, and of clients that are no browser are answered', async () => {
    const allowed: Record<string, string>[] = [
      {},
      { Origin: own() },
      { Origin: own().replace('http:', 'https:') },
      { 'Sec-Fetch-Site': 'same-origin', Origin: 'null' },
      { 'Sec-Fetch-Site': 'none' },
    ]
    for (const headers of allowed)
      expect(await post(service, headers), JSON.stringify(headers)).to.equal('200')
    expect(await post(listing, { Origin: EVIL, 'Sec-Fetch-Site': 'cross-site' })).to.equal('200')
    expect(await post(listing, { Origin: 'http://other.example' })).to.equal(REFUSED)
    expect(await post(open, { Origin: 'http://other.example', 'Sec-Fetch-Site': 'cross-site' })).to.equal(
      '200',
    )
  })

  it('of a page on the standard port are answered, whether the host has the port or not', async () => {
    const body = 'Content-Length: 5\r\n\r\ninput'
    for (const [origin, host, status] of [
      ['http://tandem', 'tandem', 200],
      ['http://tandem', 'Tandem:80', 200],
      ['https://tandem', 'tandem:443', 200],
      ['http://tandem', 'tandem:443', 403],
      ['http://tandem:81', 'tandem', 403],
    ] as const) {
      const request = `POST /model HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${origin}\r\n${body}`
      expect((await exchange(service.url, Buffer.from(request))).status, `${origin} ${host}`).to.equal(status)
    }
  })

  it('that are refused say which setting can allow them', async () => {
    const answer = await fetch(`${service.url}/model`, { method: 'POST', headers: { Origin: EVIL } })
    expect(await answer.text())
      .to.contain(EVIL)
      .and.to.contain('CORS_ORIGINS')
  })
})

describeInBrowser('In a browser', () => {
  let service: Service
  let browser: Browser
  let context: BrowserContext
  let site: Server
  before(async function () {
    this.timeout(60_000)
    service = await startService({ ...scripted({}) })
    await service.ready()
    const { port } = new URL(service.url)
    site = createServer((_req, res) =>
      res.setHeader('Content-Type', 'text/html').end(hostilePage(service.url)),
    )
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
    // What an attacker does with DNS: the name leads to this machine.
    const rules = `MAP evil.example 127.0.0.1:${port}, MAP tandem 127.0.0.1:${port}`
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', `--host-resolver-rules=${rules}`],
    })
  })
  beforeEach(async () => {
    context = await browser.newContext()
  })
  afterEach(() => context.close())
  after(async () => {
    site.close()
    await browser?.close()
    await service.stop()
  })

  const lines = (path: string) => service.logs.filter((line) => line.path === path && line.method === 'POST')

  it('a form and a fetch of another site are refused', async () => {
    const page = await context.newPage()
    await page.goto(`http://localhost:${(site.address() as AddressInfo).port}/`)
    const before = lines('/model').length
    await page.evaluate(async (url) => {
      const init = { method: 'POST', mode: 'no-cors', body: 'input' } as const
      // Cross-Origin-Resource-Policy hides the answer, but the request has been sent.
      await fetch(`${url}/model`, init).catch(() => undefined)
    }, service.url)
    await Promise.all([page.waitForURL(`${service.url}/**`), page.click('button')])
    expect(await page.textContent('body')).to.contain('ERR_CROSS_SITE')
    await until(() => lines('/model').length >= before + 2, 'two lines in the log')
    const statuses = lines('/model').slice(before)
    expect(statuses.map(({ status }) => status)).to.deep.equal([403, 403])
  })

  it('a name that leads here by DNS rebinding shows nothing', async () => {
    const page = await context.newPage()
    const answer = await page.goto(`http://evil.example/status`)
    expect(answer?.status()).to.equal(421)
  })

  for (const javaScriptEnabled of [true, false]) {
    it(`the own form works under a name of the local network, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, async () => {
      const ownContext = await browser.newContext({ javaScriptEnabled })
      const page = await ownContext.newPage()
      await page.goto(`http://tandem/feedback`)
      await page.fill('[name=report]', 'a dog')
      const before = lines('/feedback').length
      await Promise.all([
        page.waitForResponse((answer) => answer.request().method() === 'POST'),
        page.click('form button'),
      ])
      await ownContext.close()
      const line = await until(() => lines('/feedback')[before], 'the line in the log')
      expect(line.status).to.equal(200)
    })
  }
})

/** A page that sends a form to the service as soon as a user clicks anything. */
function hostilePage(url: string): string {
  return `<!doctype html><title>x</title><form method="post" enctype="text/plain" action="${url}/model">
    <input name="a" value="b"><button>Win a prize</button></form>`
}
