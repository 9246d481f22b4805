import { type ChildProcess, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { until } from '../../support/broker.ts'
import { type Hashed, hash, knowsHosts, order, TestFleet } from '../../support/fleet.ts'
import { HAS_RABBITMQ, type RabbitMq, startRabbitMq } from '../../support/rabbitmq.ts'

const MINUTE_MS = 60_000
const PULLED_MS = 10_000
const RABBIT = '10.213.7.1'
const HOST = '10.213.7.2'
const NAMESPACE = `tandem-${process.pid}`
const OUTSIDE = `td${process.pid % 100_000}a`
const INSIDE = `td${process.pid % 100_000}b`

/** A model host in a network of its own, whose cable can be pulled. Needs root, and the program ip. */
describe('When a cable is pulled for ten seconds', function () {
  this.timeout(5 * MINUTE_MS)
  let rabbit: RabbitMq
  let fleet: TestFleet

  before(async function () {
    if (!HAS_RABBITMQ || !canMakeNetworks()) return this.skip()
    rabbit = await startRabbitMq(RABBIT)
    fleet = new TestFleet(rabbit.url, 'cables')
  })
  after(async () => {
    fleet?.close()
    await rabbit?.stop()
    removeNetwork()
  })

  it('between a model host and RabbitMQ, every call is answered once, and the host comes back by itself', async () => {
    const host = await fleet.process({ name: 'cut' }, {}, {}, ['ip', 'netns', 'exec', NAMESPACE])
    const caller = await fleet.startWeb()
    await knowsHosts(caller, 1, MINUTE_MS)
    const texts = Array.from({ length: 60 }, (_, i) => `image ${i}`)
    const calls = texts.map((text) => caller.call<Hashed>('predict', order(text, { ms: 300 })))
    await delay(1000)
    ip('link', 'set', OUTSIDE, 'down')
    await delay(2000)
    // Another host takes over as soon as RabbitMQ notices.
    const other = await fleet.host()
    await delay(PULLED_MS - 2000)
    ip('link', 'set', OUTSIDE, 'up')
    const answers = await Promise.all(calls)
    expect(answers.map(({ sha256 }) => sha256)).to.deep.equal(texts.map(hash))
    await knowsHosts(caller, 2, MINUTE_MS)
    await other.close()
    expect((await caller.call<Hashed>('predict', order('again'))).sha256).to.equal(hash('again'))
    await stop(host)
  })

  it('between a caller and RabbitMQ, every call is answered or has ended with its deadline', async () => {
    const host = await fleet.host()
    const caller = fleet.caller(100, { ms: 100 }, ['ip', 'netns', 'exec', NAMESPACE])
    let output = ''
    caller.stdout.on('data', (chunk) => (output += chunk))
    await until(() => host.stats().answered > 5, MINUTE_MS, 'some answers')
    ip('link', 'set', OUTSIDE, 'down')
    await delay(PULLED_MS)
    ip('link', 'set', OUTSIDE, 'up')
    await once(caller, 'exit')
    // The caller prints how its calls have ended.
    expect(output).to.match(/\{"right":100\}/)
    await host.close()
  })
})

function canMakeNetworks(): boolean {
  try {
    ip('netns', 'add', NAMESPACE)
    ip('link', 'add', OUTSIDE, 'type', 'veth', 'peer', 'name', INSIDE, 'netns', NAMESPACE)
    ip('addr', 'add', `${RABBIT}/24`, 'dev', OUTSIDE)
    ip('link', 'set', OUTSIDE, 'up')
    for (const command of [
      ['addr', 'add', `${HOST}/24`, 'dev', INSIDE],
      ['link', 'set', INSIDE, 'up'],
      ['link', 'set', 'lo', 'up'],
    ])
      ip('-n', NAMESPACE, ...command)
    return true
  } catch {
    removeNetwork()
    return false
  }
}

/** The cable disappears with the namespace. */
function removeNetwork(): void {
  try {
    ip('netns', 'del', NAMESPACE)
  } catch {
    // It was never made.
  }
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: 'ignore' })
}

async function stop(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM')
  await once(child, 'exit')
}
