import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { SETTINGS } from '../../lib/config/settings.ts'
import { deployFile, ROOT } from '../support/deploy.ts'
import { HAS_NGINX, type Nginx, NginxSite, nginxResolves } from '../support/nginx.ts'
import { allReady, type Service, scripted, startService } from '../support/service.ts'

interface Answer {
  status: number
  headers: Record<string, unknown>
  text: string
}

/** The certificate of the test is known to nobody. */
function send(url: string, method = 'GET', body?: Buffer | string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { Host: 'tandem.example.com', Accept: 'application/json' }
    const sent = request(url, { method, headers, rejectUnauthorized: false }, (response) => {
      let text = ''
      response.on('data', (chunk) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

describe('deploy/nginx', () => {
  it('is what docs/access.md shows', () => {
    const page = readFileSync(join(ROOT, 'docs/access.md'), 'utf8')
    const shown = [...page.matchAll(/```nginx\n([\s\S]*?)```/g)].map(([, text]) => text)
    expect(shown).to.deep.equal([`${deployFile('nginx/upstream.conf')}\n${deployFile('nginx/tandem.conf')}`])
  })

  it('lets Tandem have the last word: bodies and waits may be a little longer than its limits', () => {
    const site = deployFile('nginx/tandem.conf')
    const number = (pattern: RegExp) => Number(pattern.exec(site)?.[1])
    const body = SETTINGS.maxBodyBytes.kind.parse(SETTINGS.maxBodyBytes.fallback) ?? 0
    expect(number(/client_max_body_size (\d+)m;/) * 2 ** 20).to.be.above(body)
    expect(number(/proxy_read_timeout (\d+)s;/) * 1000).to.be.above(Number(SETTINGS.deadlineMs.fallback))
    expect(deployFile('nginx/upstream.conf')).to.contain(`server 127.0.0.1:${SETTINGS.port.fallback} `)
  })
})

const describeNginx = HAS_NGINX ? describe : describe.skip
describeNginx('deploy/nginx, in the real nginx', function () {
  this.timeout(60_000)
  let service: Service
  let nginx: Nginx
  /** a web host that refuses, as while it ends or while its queue is full */
  let refusing: Server
  let refused = 0

  before(async function () {
    this.timeout(60_000)
    service = await startService({ ...scripted({}), TRUST_PROXY: '1' })
    await allReady(service)
    const site = new NginxSite('upstream.conf')
    refusing = createServer((_request, response) => {
      refused++
      response.writeHead(503).end()
    }).listen(0, '127.0.0.1')
    await once(refusing, 'listening')
    const { port } = refusing.address() as AddressInfo
    await site.write([`127.0.0.1:${port}`, new URL(service.url).host])
    nginx = await site.start()
  })
  after(async () => {
    nginx?.stop()
    refusing?.close()
    refusing?.closeAllConnections()
    await service?.stop()
  })

  it('passes nginx -t as it stands', async () => {
    const site = new NginxSite('upstream.conf')
    await site.write()
    await site.check()
  })

  it('passes nginx -t with the web hosts of Docker', async function () {
    if (!nginxResolves()) this.skip()
    const site = new NginxSite('upstream.compose.conf')
    await site.write()
    await site.check()
  })

  it('passes predictions on, and gives those that a web host refuses to another one', async () => {
    for (let i = 0; i < 4; i++) {
      const answer = await send(`${nginx.url}/model`, 'POST', `picture ${i}`)
      expect([answer.status, JSON.parse(answer.text).prediction]).to.deep.equal([200, `picture ${i}`])
      expect(answer.headers['strict-transport-security']).to.equal('max-age=31536000')
    }
    expect(refused).to.be.greaterThan(0)
  })

  it('tells Tandem the address that the client has used', async () => {
    const { text } = await send(`${nginx.url}/docs`)
    expect(text).to.contain('https://tandem.example.com/healthz')
  })

  it('leaves the error for a large body to Tandem', async () => {
    const limit = SETTINGS.maxBodyBytes.kind.parse(SETTINGS.maxBodyBytes.fallback) ?? 0
    const answer = await send(`${nginx.url}/model`, 'POST', Buffer.alloc(limit + 1))
    expect([answer.status, answer.headers['x-error-code']]).to.deep.equal([413, 'ERR_BODY_TOO_LARGE'])
  })
})
