import { expect } from 'chai'
import { nanoid } from 'nanoid'
import { networkOf } from '../../../lib/http/client-address.ts'
import { type Service, scripted, startService, until } from '../../support/service.ts'

const SELF = '127.0.0.1'

const GARBAGE = ['unknown', '_hidden', '999.1.1.1', '1.2', '::1::', ',', ', ,', '<script>', 'x'.repeat(8000)]

/** What X-Forwarded-For says, and whom it makes the client; undefined for no such header. */
const CASES: Record<string, [title: string, forwardedFor: (string | undefined)[], client: string][]> = {
  0: [['who connected, whatever a header says', [undefined, '192.0.2.1', '192.0.2.1, 10.0.0.2'], SELF]],
  1: [
    [
      'whom the proxy saw, not whom the client claims to forward for',
      ['192.0.2.1', '198.51.100.7, 203.0.113.9, 192.0.2.1', 'x, 192.0.2.1'],
      '192.0.2.1',
    ],
    ['an IPv4 address, however it is written', ['::FFFF:192.0.2.1', '192.0.2.1:40001'], '192.0.2.1'],
    [
      'an IPv6 address, however it is written',
      ['2001:db8::1', '[2001:DB8:0:0::1]:443', '2001:db8::1%eth0'],
      '2001:db8::1',
    ],
    ['the proxy where that has put no address', [undefined, ...GARBAGE], SELF],
  ],
  2: [
    [
      'whom the outer one of both saw',
      ['198.51.100.7, 192.0.2.1, 10.0.0.2', '192.0.2.1, 10.0.0.2'],
      '192.0.2.1',
    ],
  ],
}

for (const [trustProxy, cases] of Object.entries(CASES)) {
  describe(`With TRUST_PROXY=${trustProxy}`, () => {
    let service: Service
    before(async () => {
      service = await startService({ ...scripted({}), TRUST_PROXY: trustProxy })
    })
    after(() => service.stop())

    for (const [title, forwardedFor, client] of cases) {
      it(`the client in the log is ${title}`, async () => {
        for (const value of forwardedFor) expect(await clientOf(service, value), value).to.equal(client)
      })
    }

    const address = trustProxy === '0' ? 'its own' : 'what the proxy says'
    it(`the address of the service, as its answers give it, is ${address}`, async () => {
      const headers = { 'X-Forwarded-Host': 'tandem.example, inner.example', 'X-Forwarded-Proto': 'https' }
      const response = await fetch(`${service.url}/api/nothing`, { headers })
      const { url } = (await response.json()) as { url: string }
      expect(url).to.equal(`${trustProxy === '0' ? service.url : 'https://tandem.example'}/api/nothing`)
    })
  })
}

describe('networkOf(address)', () => {
  it('is the address itself, or the /64 network of an IPv6 one', () => {
    expect(networkOf('192.0.2.1')).to.equal('192.0.2.1')
    expect(networkOf('2001:db8::1')).to.equal('2001:db8:0:0::/64')
    expect(networkOf('2001:db8:1:2:3:4:5:6')).to.equal('2001:db8:1:2::/64')
    expect(networkOf('::1')).to.equal('0:0:0:0::/64')
    expect(networkOf('unknown')).to.equal('unknown')
  })
})

async function clientOf({ url, logs }: Service, forwardedFor: string | undefined): Promise<unknown> {
  const id = nanoid()
  const headers: Record<string, string> = { 'X-Request-Id': id }
  if (forwardedFor !== undefined) headers['X-Forwarded-For'] = forwardedFor
  expect((await fetch(`${url}/healthz`, { headers })).status).to.equal(200)
  return (await until(() => logs.find(({ requestId }) => requestId === id), 'its line')).client
}
