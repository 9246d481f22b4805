import { expect } from 'chai'
import { until } from '../../support/broker.ts'
import { describeFleet, type Hashed, hash, knowsHosts, order, TestFleet } from '../../support/fleet.ts'
import { type RabbitMq, startCluster } from '../../support/rabbitmq.ts'

const MINUTE_MS = 60_000
const NODES = 3
const CALLS = 60

describeFleet('In a cluster of RabbitMQ', function () {
  this.timeout(5 * MINUTE_MS)
  let nodes: RabbitMq[]
  let fleet: TestFleet

  before(async () => {
    nodes = await startCluster(NODES)
  })
  afterEach(() => fleet.close())
  after(async () => {
    for (const node of nodes ?? []) await node.stop()
  })

  it('the node of a web host dies: the web host goes on at another node, and every call is answered', async () => {
    const [first, second, third] = nodes.map(({ url }) => url) as [string, string, string]
    fleet = new TestFleet(second, 'clustered')
    const options = { queueType: 'quorum', maxQueue: 1000 } as const
    const host = await fleet.host({ ...options, url: [second, third, first] }, {}, { maxBatch: 2 })
    // The queue of replies lives on the node that the web host has come to first.
    const caller = await fleet.startWeb({ ...options, url: [first, second, third] })
    await knowsHosts(caller, 1, MINUTE_MS)
    const texts = Array.from({ length: CALLS }, (_, i) => `picture ${i}`)
    const calls = texts.map((text) => caller.call<Hashed>('predict', order(text, { ms: 100 })))
    await until(() => host.stats().answered > 5, MINUTE_MS, 'some answers')
    await nodes[0]?.kill()
    const answers = await Promise.all(calls)
    expect(answers.map(({ sha256 }) => sha256)).to.deep.equal(texts.map(hash))
    expect((await caller.call<Hashed>('predict', order('later'))).sha256).to.equal(hash('later'))
    expect(caller.stats().fleet).to.deep.include({ connected: true, reconnects: 1 })
  })
})
