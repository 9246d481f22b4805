import { execFile, execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import { type AddressInfo, isIP } from 'node:net'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { errorOf, until } from '../../support/broker.ts'
import { fetcher, never, SENTENCE, serve, tidy } from '../../support/safe-fetch.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const PICTURE = Buffer.alloc(300_000, 'picture')

/** Who trusts the certificate is another process: nothing in the product can be told to. */
const TRUSTING = `
  import { createSafeFetch } from './lib/fetch/safe-fetch.ts'
  const [port, host, allowHosts] = process.argv.slice(-3)
  const limits = { allowHosts: [allowHosts], denyHosts: [], urlPorts: [Number(port)], fetchTimeoutMs: 5000,
    maxFetches: 1, maxFetchesPerHost: 1, maxBodyBytes: 1e6, maxQueueBytes: 1e6 }
  const safeFetch = createSafeFetch(limits, async () => ['127.0.0.1'])
  const outcome = await safeFetch('https://' + host + ':' + port + '/', new AbortController().signal)
    .then((body) => ({ bytes: body.length }), ({ code, cause }) => ({ code, cause: cause?.code }))
  process.stdout.write(JSON.stringify(outcome))
`

describe('a download over TLS', () => {
  let server: Server
  let certificate: string
  let port: number
  const servernames: (string | undefined)[] = []
  let requests = 0

  before(async function () {
    const folder = temporaryFolder()
    const key = join(folder, 'key.pem')
    certificate = join(folder, 'certificate.pem')
    const flags = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
    ]
    const names = 'subjectAltName=DNS:good.example.org,IP:127.0.0.1'
    try {
      execFileSync(
        'openssl',
        [...flags, '-subj', '/CN=tandem test', '-addext', names, '-keyout', key, '-out', certificate],
        { stdio: 'ignore' },
      )
    } catch {
      // Without openssl there is no certificate to test with.
      this.skip()
    }
    const pair = { key: readFileSync(key), cert: readFileSync(certificate) }
    server = createServer({
      ...pair,
      SNICallback(servername, done) {
        servernames.push(servername)
        done(null, createSecureContext(pair))
      },
    })
    server.on('request', (_request, response) => {
      requests++
      response.end(PICTURE)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port
  })
  afterEach(async () => {
    servernames.length = 0
    requests = 0
    await tidy()
  })
  after(() => server?.close())

  async function trusting(host: string) {
    const flags = ['--import', 'tsx', '--input-type=module', '-e', TRUSTING, '--', String(port), host]
    const allowed = isIP(host) === 0 ? host : '127.0.0.0/8'
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, allowed], {
      cwd: ROOT,
      env: { PATH: process.env.PATH, NODE_EXTRA_CA_CERTS: certificate },
    })
    return JSON.parse(stdout) as unknown
  }

  it('connects to the checked address and sends the host name in the handshake', async () => {
    expect(await trusting('good.example.org')).to.deep.equal({ bytes: PICTURE.length })
    expect(servernames).to.deep.equal(['good.example.org'])
  })

  it('requires a certificate for the host name, not for the address', async () => {
    const outcome = await trusting('other.example.org')
    expect(outcome).to.deep.equal({ code: 'ERR_URL_FETCH', cause: 'ERR_TLS_CERT_ALTNAME_INVALID' })
    expect(requests).to.equal(0)
  })

  it('requires a certificate for the address if the URL has no host name', async () => {
    expect(await trusting('127.0.0.1')).to.deep.equal({ bytes: PICTURE.length })
    expect(servernames).to.deep.equal([])
  })

  it('fails like any other when the certificate is not trusted', async () => {
    const error = await errorOf(fetcher(port)(`https://good.example.org:${port}/`, never()))
    expect([error.code, error.message]).to.deep.equal(['ERR_URL_FETCH', SENTENCE])
    expect(error.cause).to.include({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
    expect(servernames).to.deep.equal(['good.example.org'])
    expect(requests).to.equal(0)
  })

  it('fails like any other when the server speaks no TLS, or only TLS', async () => {
    const plain = await serve({ connection: (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\npicture') })
    const urls = [`https://a.example.org:${plain.port}/`, `http://a.example.org:${port}/`]
    for (const url of urls) {
      const error = await errorOf(fetcher(plain.port, { urlPorts: [plain.port, port] })(url, never()))
      expect([error.code === 'ERR_URL_FETCH' || error.code === 'ERR_URL_STATUS', url]).to.deep.equal([
        true,
        url,
      ])
    }
    await until(() => plain.open() === 0, 1000, 'the connection is closed')
  })

  it('sends no handshake to an address that was not checked', async () => {
    const surprised = await serve({})
    const safeFetch = fetcher(surprised.port, { allowHosts: ['0.0.0.0'] })
    const error = await errorOf(safeFetch(`https://0.0.0.0:${surprised.port}/`, never()))
    expect(error.cause?.message).to.contain('which is not allowed')
    await until(
      () => surprised.connections() === 1 && surprised.open() === 0,
      1000,
      'the connection is closed',
    )
    expect(surprised.received()).to.equal(0)
  })
})
