import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { percentile } from '../../../bench/statistics.ts'
import type { FleetBroker } from '../../../fleet/fleet-broker.ts'
import { BEAT_MS, SILENT_AFTER_MS } from '../../../fleet/host-list.ts'
import { codeOf, until } from '../../support/broker.ts'
import { describeFleet, type Hashed, hash, knowsHosts, order, TestFleet } from '../../support/fleet.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const MINUTE_MS = 60_000
const DEADLINE_MS = 40_000
/** One or two milliseconds on a machine with nothing else to do. */
const REFUSED_WITHIN_MS = 50

interface End {
  readonly text: string
  readonly right: boolean
  readonly code: string
  readonly ms: number
}

describeFleet('Under load', function (rabbit) {
  this.timeout(5 * MINUTE_MS)
  let fleet: TestFleet
  afterEach(() => fleet.close())

  it('a model host is killed every second until two are left: 500 right answers, each once', async () => {
    fleet = new TestFleet(rabbit().url, 'killing')
    const hosts = await Promise.all(Array.from({ length: 5 }, () => fleet.process({ maxQueue: 1000 })))
    const caller = await fleet.startWeb({ maxQueue: 1000 })
    await knowsHosts(caller, 5, MINUTE_MS)
    const running = load(caller, 500, { ms: 40 })
    for (const host of hosts.slice(0, 3)) {
      await delay(1000)
      host.kill('SIGKILL')
    }
    const ends = await Promise.all(running)
    expect(ends.filter(({ right }) => !right)).to.deep.equal([])
  })

  it('a model host is killed: within two seconds, another host has its calls', async () => {
    fleet = new TestFleet(rabbit().url, 'failover')
    const other = await fleet.host({ priority: 0 })
    const caller = await fleet.startWeb()
    const times: number[] = []
    for (let round = 1; round <= 3; round++) {
      const victim = await fleet.process({ priority: 10 })
      await knowsHosts(caller, 2, MINUTE_MS)
      const before = other.stats()
      const call = caller.call<Hashed>('predict', order(`round ${round}`, { ms: 500 }))
      // The host with the higher priority has the call.
      await delay(200)
      victim.kill('SIGKILL')
      const killed = performance.now()
      await until(
        () => other.stats().redelivered > before.redelivered,
        MINUTE_MS,
        'the other host has the call',
        1,
      )
      times.push(performance.now() - killed)
      expect((await call).sha256).to.equal(hash(`round ${round}`))
      await knowsHosts(caller, 1, MINUTE_MS)
    }
    expect(percentile(times, 0.5)).to.be.below(2000)
  })

  it('RabbitMQ gives its user no permission: both sides say so, without names, and go on when it does', async () => {
    await rabbit().control('add_user', 'someone', 'secret')
    await rabbit().control('set_permissions', 'someone', '^$', '^$', '^$')
    fleet = new TestFleet(rabbit().url.replace('guest:guest', 'someone:secret'), 'forbidden')
    const caller = fleet.web()
    const reasons: string[] = []
    caller.web.on('unreachable', ({ message }) => reasons.push(message))
    const started = caller.start().catch(() => undefined)
    await until(() => reasons.length > 0, MINUTE_MS, 'a reason')
    expect(reasons[0]).to.match(/^RabbitMQ at 127\.0\.0\.1:\d+ refuses the user a queue or an exchange/)
    await rabbit().control('set_permissions', 'someone', '.*', '.*', '.*')
    await fleet.host()
    await started
    await until(() => caller.stats().state === 'ready', MINUTE_MS, 'ready')
    expect((await caller.call<Hashed>('predict', order('a'))).sha256).to.equal(hash('a'))
    // The pauses grow to a second.
    expect(reasons.length).to.be.below(60)
  })

  it('RabbitMQ is killed and comes back after three seconds: right answers, each once, within the deadline', async () => {
    fleet = new TestFleet(rabbit().url, 'rabbit-killed')
    const hosts = [await fleet.host({ maxQueue: 1000 }), await fleet.host({ maxQueue: 1000 })]
    const caller = await fleet.startWeb({ maxQueue: 1000 })
    await knowsHosts(caller, 2, MINUTE_MS)
    const running = load(caller, 500, { ms: 40 })
    await until(() => hosts.some((host) => host.stats().answered > 20), MINUTE_MS, 'some answers')
    await rabbit().kill()
    await until(() => caller.stats().state === 'restarting', MINUTE_MS, 'the caller notices')
    await delay(3000)
    await rabbit().start()
    const returned = performance.now()
    await until(() => caller.stats().fleet?.connected === true, MINUTE_MS, 'the caller is back')
    await until(() => hosts.every((host) => host.stats().connected), MINUTE_MS, 'the hosts are back')
    // The pauses between attempts are at most a second.
    expect(performance.now() - returned).to.be.below(2000)
    const ends = await Promise.all(running)
    expect(ends.filter(({ right }) => !right)).to.deep.equal([])
    expect(caller.stats().fleet).to.deep.include({ reconnects: 1 })
    expect(caller.stats().fleet?.republished).to.be.greaterThan(0)
    expect(caller.stats()).to.deep.include({ state: 'ready', queued: 0, inFlight: 0 })
  })

  it('RabbitMQ is away for longer than calls wait: new calls are refused at once, and memory does not grow', async () => {
    fleet = new TestFleet(rabbit().url, 'rabbit-away')
    await fleet.host()
    const caller = await fleet.startWeb({ maxQueue: 50, deadline: 15_000 })
    await rabbit().kill()
    await until(() => caller.stats().fleet?.connected === false, MINUTE_MS, 'the caller notices')
    const waiting = load(caller, 100, {})
    const ends = await Promise.all(waiting)
    expect(count(ends, 'ERR_QUEUE_FULL')).to.equal(34)
    expect(count(ends, 'ERR_DEADLINE')).to.equal(66)
    expect(caller.stats()).to.deep.include({ state: 'failed', queued: 0, queuedBytes: 0 })
    const before = process.memoryUsage().heapUsed
    for (let round = 0; round < 50; round++) {
      const refused = await Promise.all(load(caller, 200, { echo: 'x'.repeat(20_000) }))
      expect(count(refused, 'ERR_NOT_READY')).to.equal(200)
      expect(Math.max(...refused.map(({ ms }) => ms))).to.be.below(2000)
    }
    expect(process.memoryUsage().heapUsed - before).to.be.below(100 * 2 ** 20)
    await rabbit().start()
    await until(() => caller.stats().state === 'ready', MINUTE_MS, 'the caller is ready again')
    expect((await caller.call<Hashed>('predict', order('again'))).sha256).to.equal(hash('again'))
  })

  it('RabbitMQ closes all connections: a host does not compute a second time what it is computing', async () => {
    fleet = new TestFleet(rabbit().url, 'closed')
    const journal = join(temporaryFolder(), 'journal')
    const host = await fleet.host({}, { journal })
    const caller = await fleet.startWeb()
    const running = load(caller, 8, { ms: 8000 })
    await until(() => host.stats().held === 8, MINUTE_MS, 'the host has all calls')
    await rabbit().control('close_all_connections', 'test')
    const ends = await Promise.all(running)
    expect(ends.filter(({ right }) => !right)).to.deep.equal([])
    expect(readFileSync(journal, 'utf8').trim().split('\n')).to.have.length(8)
    // Each call came again from RabbitMQ, from the caller, or from both.
    await until(() => host.stats().held === 0, MINUTE_MS, 'the host holds nothing')
    expect(host.stats()).to.deep.include({ answered: 8, reconnects: 1 })
    expect(host.stats().repeated).to.be.within(8, 16)
  })

  it('RabbitMQ loses all its data: hosts and callers declare their queues again', async () => {
    fleet = new TestFleet(rabbit().url, 'reset')
    await fleet.host()
    const caller = await fleet.startWeb()
    await rabbit().control('stop_app')
    await rabbit().control('reset')
    await rabbit().control('start_app')
    await until(() => caller.stats().state === 'ready', MINUTE_MS, 'ready again')
    expect((await caller.call<Hashed>('predict', order('a'))).sha256).to.equal(hash('a'))
  })

  it('RabbitMQ is short of memory: calls are refused at once, and answered again afterwards', async () => {
    fleet = new TestFleet(rabbit().url, 'alarm')
    await fleet.host()
    const caller = await fleet.startWeb()
    const idle = await fleet.startWeb()
    await rabbit().control('set_vm_memory_high_watermark', '0.00001')
    try {
      // The first call after the alarm makes RabbitMQ say so; those after it are refused without a question.
      const refused = await Promise.all(load(caller, 20, {}))
      expect(count(refused, 'ERR_QUEUE_FULL')).to.equal(20)
      const next = await Promise.all(load(caller, 20, {}))
      expect(count(next, 'ERR_QUEUE_FULL')).to.equal(20)
      expect(
        percentile(
          next.map(({ ms }) => ms),
          0.5,
        ),
      ).to.be.below(REFUSED_WITHIN_MS)
      expect(caller.stats().fleet?.blocked).to.match(/memory/)
      // Hosts can announce nothing meanwhile, and are not taken for dead, even by a caller that has made no call.
      await delay(SILENT_AFTER_MS + 2 * BEAT_MS)
      for (const one of [caller, idle])
        expect(one.stats()).to.deep.include({ state: 'ready', restarts: 0, capacity: 16 })
      expect(await codeOf(idle.call('predict', order('a')))).to.equal('ERR_QUEUE_FULL')
    } finally {
      await rabbit().control('set_vm_memory_high_watermark', '0.6')
    }
    await until(() => caller.stats().fleet?.blocked === null, MINUTE_MS, 'the alarm is over')
    expect((await caller.call<Hashed>('predict', order('a'))).sha256).to.equal(hash('a'))
  })

  it('the caller dies: hosts drop its calls, the queue is empty, and its reply queue goes', async () => {
    fleet = new TestFleet(rabbit().url, 'web-killed')
    const host = await fleet.host({}, {}, { maxBatch: 1 })
    const caller = fleet.caller(200, { ms: 100 })
    await once(caller.stdout, 'data')
    await until(() => host.stats().answered > 3, MINUTE_MS, 'some answers')
    const watcher = await fleet.startWeb()
    caller.kill('SIGKILL')
    const killed = performance.now()
    await until(async () => (await watcher.web.waiting('web-killed')) === 0, 10_000, 'the queue is empty')
    await until(() => host.stats().held === 0, 10_000, 'the host has dropped what it had')
    expect(performance.now() - killed).to.be.below(5000)
    expect(host.stats().dropped).to.be.greaterThan(150)
    await until(
      async () => !(await rabbit().control('-q', 'list_queues', 'name')).includes('tandem.replies.dying'),
      2 * MINUTE_MS,
      'the reply queue has gone',
      2000,
    )
  })
})

/** Calls with different inputs, all at once. */
function load(caller: FleetBroker, count: number, more: object): Promise<End>[] {
  return Array.from({ length: count }, async (_, i) => {
    const text = `image ${i}`
    const start = performance.now()
    const deadline = caller.web.settings.limits.deadline
    const end = (right: boolean, code: string) => ({ text, right, code, ms: performance.now() - start })
    const ended = await caller
      .call<Hashed>('predict', { text, ...more }, { deadline: Math.min(deadline, DEADLINE_MS) })
      .then(
        ({ sha256 }) => end(sha256 === hash(text), ''),
        (error: { code: string }) => end(false, error.code),
      )
    // A timer on a busy machine is late, but a call that nothing ends would be far later.
    expect(ended.ms).to.be.below(DEADLINE_MS + 5000)
    return ended
  })
}

function count(ends: readonly End[], code: string): number {
  return ends.filter((end) => end.code === code).length
}
