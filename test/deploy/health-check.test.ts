import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { expect } from 'chai'
import { image } from '../support/deploy.ts'

/** The health check of the image against a real server that answers with this status. */
async function check(status: number | undefined): Promise<number> {
  const { instructions } = image()
  const [, rest = ''] = instructions.find(([name]) => name === 'HEALTHCHECK') ?? []
  const [, ...args] = JSON.parse(rest.slice(rest.indexOf('['))) as string[]
  const server = createServer((request, response) => {
    response.statusCode = request.url === '/healthz' ? (status ?? 500) : 404
    response.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  if (status === undefined) server.close()
  const child = spawn(process.execPath, args, { env: { PORT: String(port) }, stdio: 'ignore' })
  const [code] = await once(child, 'exit')
  server.close()
  return code
}

describe('The health check of the image', () => {
  it('passes if /healthz answers with 200', async () => {
    expect(await check(200)).to.equal(0)
  })

  it('fails if /healthz has an error, or if nothing listens', async () => {
    expect(await Promise.all([check(500), check(undefined)])).to.deep.equal([1, 1])
  })
})
