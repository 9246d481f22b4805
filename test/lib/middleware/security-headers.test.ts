import { createServer, get, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import Koa from 'koa'
import helmet from 'koa-helmet'
import { securityHeaders } from '../../../lib/middleware/security-headers.ts'

/** What helmet adds to this in its defaults is explained in security-headers.ts. */
const DIFFERENT = {
  contentSecurityPolicy: false,
  xFrameOptions: { action: 'deny' },
  referrerPolicy: { policy: 'same-origin' },
  strictTransportSecurity: false,
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
} as const

describe('The security headers', () => {
  it('are those of helmet, but for the ones that Tandem sets in another way', async () => {
    const [own, its] = await Promise.all([
      headersOf(new Koa().use(securityHeaders() as Koa.Middleware).callback()),
      headersOf(new Koa().use(helmet(DIFFERENT)).callback()),
    ])
    const { 'content-security-policy': policy, ...others } = own
    expect(others).to.deep.equal(its)
    expect(Object.keys(others)).to.have.length.above(7)
    expect(policy).to.equal(
      "default-src 'self';img-src 'self' blob: data:;object-src 'none';base-uri 'none';form-action 'self';frame-ancestors 'none'",
    )
  })
})

/** The headers of an answer, without those that Node and Koa set. */
async function headersOf(listener: RequestListener): Promise<Record<string, unknown>> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const headers = await new Promise<Record<string, unknown>>((resolve, reject) => {
    get({ port, agent: false }, (answer) => {
      answer.resume()
      resolve(answer.headers)
    }).on('error', reject)
  })
  server.close()
  const {
    date,
    connection,
    'content-length': length,
    'content-type': type,
    'keep-alive': alive,
    ...rest
  } = headers
  return rest
}
