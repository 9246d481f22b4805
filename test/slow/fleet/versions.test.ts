import { expect } from 'chai'
import { Broker } from '../../../broker/broker.ts'
import { ModelHost } from '../../../fleet/model-host.ts'
import { fixture } from '../../support/broker.ts'
import { describeFleet } from '../../support/fleet.ts'
import { one } from '../../support/pictures.ts'
import { type Service, scripted, startService, until } from '../../support/service.ts'

interface Answer {
  readonly version: string | null
  readonly label: string
  readonly cached: boolean
}

const WITHIN_MS = 60_000
const VERSIONS = ['one', 'two'] as const
const PICTURES = 12

describeFleet('A web host with two versions of a model on two hosts, and a cache', function (rabbit) {
  this.timeout(WITHIN_MS)
  const hosts = new Map<string, ModelHost>()
  const brokers: Broker[] = []
  let web: Service
  let pictures: Buffer[]

  before(async () => {
    pictures = await Promise.all(Array.from({ length: PICTURES }, (_, i) => one(i)))
    web = await startService({ ROLE: 'web', MODELS: 'digits', AMQP_URL: rabbit().url, CACHE_ENTRIES: '100' })
    await Promise.all(VERSIONS.map(startHost))
    await until(async () => (await hostsOf(web)) === 2, 'both hosts', WITHIN_MS)
  })
  after(async () => {
    for (const host of hosts.values()) host.kill()
    for (const broker of brokers) broker.kill()
    await web?.stop()
  })

  /** Each version answers with its own name. */
  async function startHost(version: string): Promise<void> {
    const answer = [{ index: 0, label: version, name: version, full: version, probability: 1 }]
    const { MODELS = '' } = scripted({ version, answer, predictMs: 20 })
    const [, path] = MODELS.split('=')
    const broker = new Broker({ pipeline: fixture('scripted'), options: { path }, maxBatch: 1 })
    brokers.push(broker)
    await broker.start()
    const host = new ModelHost({ url: rabbit().url, pipelines: { digits: broker }, name: version })
    hosts.set(version, host)
    host.start()
  }

  const ask = () => Promise.all(pictures.map((picture) => answerTo(web, picture)))

  it('says of each answer which version it is from, never answers with another version, and keeps them apart', async () => {
    const first = await ask()
    expect(new Set(first.map(({ version }) => version))).to.deep.equal(new Set(VERSIONS))
    const again = await ask()
    for (const { version, label } of [...first, ...again]) expect(version).to.equal(label)
    const kept = again.filter(({ cached }) => cached)
    expect(kept.length).to.be.within(1, PICTURES)
    // Both versions have as many hosts. The web host looks for kept answers of one of them only.
    const [current = ''] = new Set(kept.map(({ label }) => label))
    expect(kept.map(({ label }) => label)).to.deep.equal(kept.map(() => current))

    // Only the other version is left, and then only the first one: no answer comes from the version that has gone.
    const other = VERSIONS.find((version) => version !== current) ?? ''
    await hosts.get(current)?.close()
    await until(async () => (await hostsOf(web)) === 1, 'one host')
    expect((await ask()).map(({ label }) => label)).to.deep.equal(pictures.map(() => other))
    await startHost(current)
    await until(async () => (await hostsOf(web)) === 2, 'both hosts')
    await hosts.get(other)?.close()
    await until(async () => (await hostsOf(web)) === 1, 'one host')
    expect((await ask()).map(({ label }) => label)).to.deep.equal(pictures.map(() => current))
  })
})

async function answerTo({ url }: Service, body: Buffer): Promise<Answer> {
  const answer = await fetch(`${url}/digits`, {
    method: 'POST',
    body,
    headers: { 'Content-Type': 'image/png' },
  })
  expect(answer.status).to.equal(200)
  const { predictions, timing } = (await answer.json()) as {
    predictions: { label: string }[]
    timing: { cached?: true }
  }
  return {
    version: answer.headers.get('X-Model-Version'),
    label: predictions[0]?.label ?? '',
    cached: timing.cached === true,
  }
}

async function hostsOf({ url }: Service): Promise<number | undefined> {
  const { models } = (await (await fetch(`${url}/readyz`)).json()) as {
    models: Record<string, { fleet?: { hosts: { state: string; version: string | null }[] } }>
  }
  const hosts = models.digits?.fleet?.hosts ?? []
  return hosts.filter(({ state, version }) => state === 'ready' && version !== null).length
}
