import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { expect } from 'chai'
import { hostRules } from '../../../lib/fetch/host-rules.ts'
import { resolveByDns, resolveBySystem } from '../../../lib/fetch/resolve.ts'
import { errorOf } from '../../support/broker.ts'
import { answer, type RawServer } from '../../support/raw-server.ts'
import { fetcher, never, SENTENCE, serve, tidy } from '../../support/safe-fetch.ts'

const CLOSED = [
  ...['0.0.0.0', '0.1.2.3', '10.0.0.1', '10.255.255.255', '100.64.0.1', '100.100.100.200', '100.127.255.255'],
  ...['127.0.0.1', '127.255.255.254', '169.254.0.1', '169.254.169.254', '172.16.0.1', '172.31.255.255'],
  ...[
    '168.63.129.16',
    '192.0.0.1',
    '192.0.0.170',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.0.1',
    '192.168.255.255',
  ],
  ...['198.18.0.1', '198.19.255.255', '198.51.100.1', '203.0.113.1'],
  ...['224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.254', '255.255.255.255'],
  ...['::', '::1', '::2', '::127.0.0.1', '::7f00:1', '::8.8.8.8'],
  ...[
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '0:0:0:0:0:ffff:a9fe:a9fe',
    '::ffff:8.8.8.8',
    '::ffff:0:127.0.0.1',
  ],
  ...['64:ff9b::7f00:1', '64:ff9b::8.8.8.8', '64:ff9b:1::1', '100::1', '100:0:0:1::1', '200::1'],
  ...[
    '2001::1',
    '2001:0:4136:e378:8000:63bf:3fff:fdd2',
    '2001:2::1',
    '2001:10::1',
    '2001:20::1',
    '2001:30::1',
  ],
  ...['2001:db8::1', '2002:7f00:1::1', '2002:808:808::1', '3fff::1', '4000::1', '5f00::1', '8000::1'],
  ...[
    'fc00::1',
    'fd00::1',
    'fd00:ec2::254',
    'fe80::1',
    'febf::1',
    'fec0::1',
    'feff::1',
    'ff02::1',
    'ff0e::1',
  ],
]

/** Other ways to write an address of which the parser of URLs makes a usual one, or none. */
const SPELLINGS = [
  ...['2130706433', '0x7f000001', '017700000001', '0x7f.1', '0177.0.0.1', '127.1', '127.0.1', '0', '0x0'],
  ...['127.0.0.1.', '2130706433.', '%31%32%37.0.0.1', '127%2e0%2e0%2e1', '1\t27.0.0.1'],
  ...['１２７.０.０.１', '①②⑦.0.0.1', '127。0。0。1', '127．0．0．1', '0x7F.0x0.0x0.0x1', '2852039166'],
  ...['[0:0:0:0:0:0:0:1]', '[::0001]', '[::FFFF:127.0.0.1]', '[0000:0000::ffff:7f00:0001]'],
]

const LOCAL_NAMES = [
  'localhost',
  'localhost.',
  'LOCALHOST',
  'ⓛⓞⓒⓐⓛⓗⓞⓢⓣ',
  'router',
  'metadata',
  'loc\u00adalhost',
]

const PUBLIC = [
  '1.1.1.1',
  '8.8.8.8',
  '93.184.216.34',
  '172.32.0.1',
  '192.0.1.1',
  '100.128.0.1',
  '223.255.255.254',
]
const PUBLIC_V6 = ['2001:4860:4860::8888', '2606:4700::1111', '2a00:1450:4001::1', '2400:cb00::1']

describe('an address that is not public', () => {
  let canary: RawServer

  // A rule that fails leads here, and not to a machine of somebody's network.
  before(async () => {
    canary = await serve({
      everywhere: true,
      request: (socket) => socket.end(answer('200 OK', [], 'leaked')),
    })
  })
  afterEach(() => expect(canary.connections()).to.equal(0))
  after(tidy)

  async function expectRefused(url: string, addresses: readonly string[] = []) {
    const error = await errorOf(fetcher(canary.port, {}, async () => addresses)(url, never()))
    expect([error.code, error.message]).to.deep.equal(['ERR_URL_FETCH', SENTENCE])
    expect(error.cause?.message).to.match(/not allowed$/)
  }

  for (const address of CLOSED) {
    it(`${address} is refused in a URL and behind a name`, async () => {
      const host = address.includes(':') ? `[${address}]` : address
      await expectRefused(`http://${host}:${canary.port}/`)
      await expectRefused(`http://picture.test:${canary.port}/`, [address])
    })
    it(`${address} is refused among public ones`, () =>
      expectRefused(`http://picture.test:${canary.port}/`, ['8.8.8.8', '2606:4700::1111', address]))
  }

  for (const host of SPELLINGS) {
    it(`is refused when it is spelled ${JSON.stringify(host)}`, () =>
      expectRefused(`http://${host}:${canary.port}/`))
  }

  for (const host of LOCAL_NAMES) {
    it(`is refused behind the name ${JSON.stringify(host)}, which is not even looked up`, () =>
      expectRefused(`http://${host}:${canary.port}/`, ['8.8.8.8']))
  }

  it('is refused with a zone, by the parser in a URL and by the rules behind a name', async () => {
    const url = `http://[fe80::1%25eth0]:${canary.port}/`
    expect((await errorOf(fetcher(canary.port)(url, never()))).code).to.equal('ERR_URL_INVALID')
    for (const address of ['fe80::1%eth0', '2606:4700::1111%eth0', '::1%lo']) {
      await expectRefused(`http://picture.test:${canary.port}/`, [address])
    }
  })

  it('is refused if a resolver answers with a text that is no address', async () => {
    for (const address of [
      '',
      'localhost',
      '127.1',
      '2130706433',
      '0x7f.0.0.1',
      '127.0.0.1:80',
      ' 8.8.8.8',
    ]) {
      await expectRefused(`http://picture.test:${canary.port}/`, [address])
    }
  })
})

describe('the rules of hosts', () => {
  const open = hostRules([], [])

  for (const address of [...PUBLIC, ...PUBLIC_V6]) {
    it(`open ${address}`, () => expect(open.mayReach('picture.test', address)).to.equal(true))
  }

  it('let an allowed name lead to any address, but no similar name', () => {
    const rules = hostRules(['pictures.example.org', '.example.net', 'minio'], [])
    for (const host of ['pictures.example.org', 'a.example.net', 'a.b.example.net', 'minio']) {
      expect(rules.mayResolve(host)).to.equal(true)
      expect(rules.mayReach(host, '10.0.0.1')).to.equal(true)
      expect(rules.mayReach(host, '::1')).to.equal(true)
    }
    for (const host of [
      'example.org',
      'x.pictures.example.org',
      'example.net',
      'badexample.net',
      'minio2.test',
    ]) {
      expect(rules.mayReach(host, '10.0.0.1')).to.equal(false)
    }
    expect(rules.mayResolve('minio2')).to.equal(false)
  })

  it('let an allowed network be reached by any name', () => {
    const rules = hostRules(['10.1.0.0/16', '192.168.0.7', 'fd00::/8', '::1'], [])
    for (const address of ['10.1.0.0', '10.1.255.255', '192.168.0.7', 'fd12::1', '::1', '0:0::1']) {
      expect(rules.mayReach('picture.test', address), address).to.equal(true)
    }
    for (const address of ['10.2.0.0', '10.0.255.255', '192.168.0.8', 'fc00::1', '::2', '127.0.0.1']) {
      expect(rules.mayReach('picture.test', address), address).to.equal(false)
    }
  })

  it('let an allowed IPv4 network open no IPv6 spelling of it', () => {
    const rules = hostRules(['10.0.0.0/8', '0.0.0.0/0'], [])
    for (const address of [
      '::ffff:10.0.0.1',
      '::10.0.0.1',
      '64:ff9b::10.0.0.1',
      '2002:a00:1::1',
      '::1',
      'fd00::1',
    ]) {
      expect(rules.mayReach('picture.test', address), address).to.equal(false)
    }
    expect(hostRules(['::ffff:10.0.0.0/104'], []).mayReach('picture.test', '::ffff:10.0.0.1')).to.equal(true)
  })

  it('forbid denied hosts, even public or allowed ones, by name and by address in each form', () => {
    const rules = hostRules(
      ['.example.org', '10.0.0.0/8', '::/0'],
      ['bad.example.org', '.bad.test', '8.8.8.0/24', '10.0.0.1', '2606:4700::/32', '::ffff:9.9.9.9'],
    )
    for (const host of ['bad.example.org', 'a.bad.test']) {
      expect(rules.mayResolve(host), host).to.equal(false)
      expect(rules.mayReach(host, '1.1.1.1'), host).to.equal(false)
    }
    const denied = [
      '8.8.8.8',
      '10.0.0.1',
      '::ffff:10.0.0.1',
      '64:ff9b::8.8.8.8',
      '2606:4700::1111',
      '9.9.9.9',
    ]
    for (const address of denied) expect(rules.mayReach('good.example.org', address), address).to.equal(false)
    expect(rules.mayReach('good.example.org', '10.0.0.2')).to.equal(true)
    expect(rules.mayResolve('bad.test')).to.equal(true)
  })
})

describe('a name', () => {
  afterEach(tidy)

  it('is resolved once, and the connection goes to the address that was checked', async () => {
    const server = await serve({ request: (socket) => socket.end(answer('200 OK', [], 'picture')) })
    const asked: string[] = []
    // Rebinding: the second answer would lead elsewhere.
    const resolve = async (host: string) => (asked.push(host) === 1 ? ['127.0.0.1'] : ['127.0.0.2'])
    const safeFetch = fetcher(server.port, { allowHosts: ['127.0.0.1'] }, resolve)
    const body = await safeFetch(`http://Pictures.Test.:${server.port}/a?b#c`, never())
    expect(body.toString()).to.equal('picture')
    expect(asked).to.deep.equal(['pictures.test'])
    expect(server.heads[0]).to.match(
      new RegExp(`^GET /a\\?b HTTP/1\\.1\r\nhost: pictures\\.test:${server.port}\r\n`, 'i'),
    )
  })

  it('whose first address refuses the connection is reached by its next', async () => {
    const server = await serve({ request: (socket) => socket.end(answer('200 OK', [], 'picture')) })
    const resolve = async () => ['127.0.0.3', '::1', '127.0.0.1']
    const safeFetch = fetcher(server.port, {}, resolve)
    expect(String(await safeFetch(`http://a.example.org:${server.port}/`, never()))).to.equal('picture')
  })

  it('that cannot be resolved, or has no address, fails like one that is refused', async () => {
    const noName = Object.assign(new Error('getaddrinfo ENOTFOUND secret.internal'), { code: 'ENOTFOUND' })
    for (const resolve of [() => Promise.reject(noName), async () => []]) {
      const error = await errorOf(fetcher(80, {}, resolve)('http://a.example.org/', never()))
      expect([error.code, error.message]).to.deep.equal(['ERR_URL_FETCH', SENTENCE])
      expect(error.cause).to.be.an('error')
    }
  })

  it('is resolved by the system unless told otherwise', async () => {
    const server = await serve({ request: (socket) => socket.end(answer('200 OK', [], 'picture')) })
    const safeFetch = fetcher(server.port, { allowHosts: ['localhost'] }, resolveBySystem)
    expect(String(await safeFetch(`http://localhost:${server.port}/`, never()))).to.equal('picture')
  })

  it('that no resolver answers for does not delay other names, and can be aborted', async () => {
    const silent = createSocket('udp4').bind(0, '127.0.0.1')
    await once(silent, 'listening')
    const servers = [`127.0.0.1:${silent.address().port}`]
    const control = new AbortController()
    const asked = Array.from({ length: 16 }, (_, i) =>
      errorOf(resolveByDns(`slow-${i}.example.org`, control.signal, servers)),
    )
    await once(silent, 'message')
    const start = performance.now()
    expect(await resolveBySystem('localhost')).not.to.deep.equal([])
    control.abort()
    for (const { code } of await Promise.all(asked)) expect(code).to.equal('ECANCELLED')
    // Nobody answers for 4.5 s.
    expect(performance.now() - start).to.be.lessThan(1000)
    silent.close()
  })
})

describe('a connection', () => {
  afterEach(tidy)

  it('that has led to another address than requested is closed before a byte is sent', async () => {
    const server = await serve({ request: (socket) => socket.end(answer('200 OK', [], 'leaked')) })
    // The kernel takes 0.0.0.0 for this machine, so the address that was allowed is not the one that is reached.
    const error = await errorOf(
      fetcher(server.port, { allowHosts: ['0.0.0.0'] })(`http://0.0.0.0:${server.port}/`, never()),
    )
    expect(error.code).to.equal('ERR_URL_FETCH')
    expect(error.cause?.message).to.contain('connected to 127.0.0.1, which is not allowed')
    expect(server.heads).to.deep.equal([])
  })

  it('that is refused or reset fails like one that is forbidden', async () => {
    const server = await serve({ connection: (socket) => socket.resetAndDestroy() })
    const gone = await serve({})
    await gone.close()
    for (const port of [server.port, gone.port]) {
      const error = await errorOf(fetcher(port)(`http://a.example.org:${port}/`, never()))
      expect([error.code, error.message]).to.deep.equal(['ERR_URL_FETCH', SENTENCE])
      expect(error.cause).to.be.an('error')
    }
  })
})
