import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'amqplib'
import { expect } from 'chai'
import { encodeValue } from '../../fleet/wire.ts'
import { createMetrics } from '../../lib/status/metrics.ts'
import { codeOf, until } from '../support/broker.ts'
import { describeFleet, type Hashed, hash, knowsHosts, order, TestFleet } from '../support/fleet.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const WITHIN_MS = 20_000

describeFleet('Model hosts', (rabbit) => {
  let fleet: TestFleet

  const begin = (name: string) => {
    fleet = new TestFleet(rabbit().url, name)
  }
  afterEach(() => fleet.close())

  it('are known to a caller with their state, children and info, and a host that leaves is forgotten at once', async () => {
    begin('known')
    const host = await fleet.host({ name: 'gpu-1' }, { version: '7' }, { workers: 2, maxBatch: 3 })
    const caller = fleet.web()
    const infos: unknown[] = []
    caller.on('info', ({ info }) => infos.push(info))
    await caller.start()
    await until(() => infos.length > 0, 5000, 'the info')
    expect(infos).to.deep.equal([{ version: '7', device: 'cpu' }])
    const [known] = caller.stats().fleet?.hosts ?? []
    expect(known).to.deep.include({
      name: 'gpu-1',
      state: 'ready',
      info: { version: '7', device: 'cpu' },
      children: 2,
      capacity: 12,
    })
    const changes: string[] = []
    caller.on('host', ({ name, change }) => changes.push(`${name} ${change}`))
    await host.close()
    await until(() => caller.stats().fleet?.hosts.length === 0, 5000, 'no host')
    expect(changes).to.deep.equal(['gpu-1 leaving'])
    expect(caller.stats()).to.deep.include({ state: 'restarting' })
  })

  it('with the same name are told apart in metrics', async () => {
    begin('twins')
    const hosts = [await fleet.host({ name: 'twin' }), await fleet.host({ name: 'twin' })]
    const caller = await fleet.startWeb()
    await knowsHosts(caller, 2)
    const figures = await createMetrics(new Map([['twins', caller]])).registry.metrics()
    for (const { boot } of hosts)
      expect(figures).to.contain(`tandem_fleet_host_ready{model="twins",host="twin ${boot}"} 1`)
  })

  it('that come later answer the calls that wait', async () => {
    begin('later')
    const first = await fleet.host()
    const caller = await fleet.startWeb()
    await first.close()
    await until(() => caller.stats().fleet?.hosts.length === 0, 5000, 'no host')
    const waiting = caller.call<Hashed>('predict', order('late'))
    await fleet.host()
    expect((await waiting).sha256).to.equal(hash('late'))
  })

  it('answer what they have accepted before they end', async () => {
    begin('drain')
    const host = await fleet.host({}, {}, { maxBatch: 1 })
    const caller = await fleet.startWeb()
    const calls = Array.from({ length: 6 }, (_, i) =>
      caller.call<Hashed>('predict', order(`${i}`, { ms: 30 })),
    )
    await until(() => host.stats().held > 0, 5000, 'the host has calls')
    await host.close()
    expect(host.stats().held).to.equal(0)
    // What was not delivered yet waits for another host.
    await fleet.host()
    expect((await Promise.all(calls)).map(({ sha256 }) => sha256)).to.deep.equal(
      calls.map((_, i) => hash(`${i}`)),
    )
  })

  it('with a higher priority get calls first, until they have as many as they can hold', async () => {
    begin('priority')
    await fleet.host({ priority: 0 }, { version: 'slow' }, { maxBatch: 1 })
    await fleet.host({ priority: 10 }, { version: 'fast' }, { maxBatch: 1 })
    const caller = await fleet.startWeb()
    await knowsHosts(caller, 2)
    const one = await caller.call<Hashed>('predict', order('one'))
    expect(one.version).to.equal('fast')
    const three = Array.from({ length: 3 }, () => caller.call<Hashed>('predict', order('x', { ms: 100 })))
    const versions = (await Promise.all(three)).map(({ version }) => version)
    expect(versions.filter((version) => version === 'fast')).to.have.length(2)
  })

  it('answer a web host whose clock is an hour behind or ahead of their own', async () => {
    begin('clocks')
    await fleet.host()
    const connection = await connect(rabbit().url)
    const channel = await connection.createChannel()
    const { queue } = await channel.assertQueue('', { exclusive: true })
    const types = new Map<string, string>()
    await channel.consume(queue, (reply) => {
      if (reply) types.set(reply.properties.correlationId, reply.properties.type)
    })
    for (const hours of [-1, 1])
      channel.sendToQueue('tandem.calls.clocks', Buffer.from(encodeValue(order('a'))), {
        type: 'call',
        correlationId: `${hours} h`,
        replyTo: queue,
        expiration: '10000',
        headers: { attempt: 1, method: 'predict', deadline: Date.now() + hours * 3_600_000 },
      })
    await until(() => types.size === 2, WITHIN_MS, 'two answers')
    expect(Object.fromEntries(types)).to.deep.equal({ '-1 h': 'result', '1 h': 'result' })
    await connection.close()
  })

  it('keep the calls that their own queue cannot take at the moment', async () => {
    begin('own-queue')
    const host = await fleet.host({}, {}, { maxBatch: 8, maxQueue: 1 })
    const caller = await fleet.startWeb()
    const calls = Array.from({ length: 40 }, (_, i) =>
      caller.call<Hashed>('predict', order(`${i}`, { ms: 20 })),
    )
    expect((await Promise.all(calls)).map(({ sha256 }) => sha256)).to.deep.equal(
      calls.map((_, i) => hash(`${i}`)),
    )
    expect(host.stats()).to.deep.include({ answered: 40, redelivered: 0 })
  })

  it('of two versions each say which one has answered', async () => {
    begin('versions')
    await fleet.host({}, { version: '1' }, { maxBatch: 1 })
    await fleet.host({}, { version: '2' }, { maxBatch: 1 })
    const caller = await fleet.startWeb()
    await knowsHosts(caller, 2)
    const infos = new Map<string, unknown>()
    const calls = Array.from({ length: 8 }, async (_, i) => {
      let info: unknown
      const { version } = await caller.call<Hashed>('predict', order(`${i}`, { ms: 20 }), {
        onInfo: (told) => {
          info = told
        },
      })
      expect(info).to.deep.equal({ version, device: 'cpu' })
      infos.set(version, info)
    })
    await Promise.all(calls)
    expect([...infos.keys()].sort()).to.deep.equal(['1', '2'])
  })

  it('never predict what its caller has left while it was queued, wherever it waits', async () => {
    begin('cancel')
    const journal = join(temporaryFolder(), 'journal')
    writeFileSync(journal, '')
    const hosts = [
      await fleet.host({}, { journal }, { maxBatch: 1 }),
      await fleet.host({}, { journal }, { maxBatch: 1 }),
    ]
    const caller = await fleet.startWeb()
    await knowsHosts(caller, 2)
    const busy = Array.from({ length: 6 }, (_, i) => caller.call('predict', order(`busy ${i}`, { ms: 150 })))
    const leaving = Array.from({ length: 6 }, (_, i) => {
      const controller = new AbortController()
      const call = codeOf(caller.call('predict', order(`left ${i}`), { signal: controller.signal }))
      return { controller, call }
    })
    await until(() => hosts.every((host) => host.stats().held === 2), 5000, 'both hosts are full')
    for (const { controller } of leaving) controller.abort()
    expect(new Set(await Promise.all(leaving.map(({ call }) => call)))).to.deep.equal(
      new Set(['ERR_ABORTED']),
    )
    await Promise.all(busy)
    await until(
      () => hosts.reduce((sum, host) => sum + host.stats().dropped, 0) === 6,
      5000,
      'six were dropped',
    )
    expect(readFileSync(journal, 'utf8')).not.to.match(/left/)
  })
})

describeFleet('When a model host is killed', (rabbit) => {
  let fleet: TestFleet
  afterEach(() => fleet.close())

  it('other hosts answer its calls, each once', async function () {
    this.timeout(WITHIN_MS * 4)
    fleet = new TestFleet(rabbit().url, 'killed')
    const journal = join(temporaryFolder(), 'journal')
    const victim = await fleet.process({}, { journal })
    const caller = await fleet.startWeb()
    let answers = 0
    const texts = Array.from({ length: 60 }, (_, i) => `image ${i}`)
    const calls = texts.map((text) =>
      caller.call<Hashed>('predict', order(text, { ms: 30 })).finally(() => answers++),
    )
    await until(() => answers >= 5, WITHIN_MS, 'some answers')
    victim.kill('SIGKILL')
    await once(victim, 'exit')
    const host = await fleet.host({}, { journal })
    expect((await Promise.all(calls)).map(({ sha256 }) => sha256)).to.deep.equal(texts.map(hash))
    expect(answers).to.equal(60)
    expect(host.stats().redelivered).to.be.within(1, 16)
    await until(() => caller.stats().restarts === 1, WITHIN_MS, 'the caller notices that the host is gone')
  })

  it('by an input, the input takes down two hosts at the most, and no other call with it', async function () {
    this.timeout(WITHIN_MS * 4)
    fleet = new TestFleet(rabbit().url, 'poison')
    const hosts = await Promise.all([1, 2, 3].map(() => fleet.process()))
    const caller = await fleet.startWeb()
    await knowsHosts(caller, 3, WITHIN_MS)
    const texts = Array.from({ length: 200 }, (_, i) => `image ${i}`)
    const calls = texts.map((text, i) =>
      caller.call<Hashed>('predict', order(text, i === 20 ? { kill: 'host' } : { ms: 5 })),
    )
    const ends = await Promise.allSettled(calls)
    const failed = ends.flatMap((end, i) => (end.status === 'rejected' ? [[i, end.reason.code]] : []))
    expect(failed).to.deep.equal([[20, 'ERR_CHILD_EXIT']])
    const right = ends.filter(
      (end, i) => end.status === 'fulfilled' && end.value.sha256 === hash(texts[i] ?? ''),
    )
    expect(right).to.have.length(199)
    expect(hosts.filter(({ signalCode }) => signalCode === 'SIGKILL')).to.have.length(2)
  })
})
