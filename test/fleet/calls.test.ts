import { connect } from 'amqplib'
import { expect } from 'chai'
import type { FleetBroker } from '../../fleet/fleet-broker.ts'
import { codeOf, errorOf, until } from '../support/broker.ts'
import { describeFleet, type Hashed, hash, knowsHosts, order, TestFleet } from '../support/fleet.ts'
import { MAX_MESSAGE_BYTES } from '../support/rabbitmq.ts'

const others: TestFleet[] = []

/** A fleet of one test, closed behind it. */
function another(url: string, name: string): TestFleet {
  const fleet = new TestFleet(url, name)
  others.push(fleet)
  return fleet
}

function closeOthers(): void {
  for (const fleet of others.splice(0)) fleet.close()
}

describeFleet('A call to another host', (rabbit) => {
  let fleet: TestFleet
  let web: FleetBroker

  before(async () => {
    fleet = new TestFleet(rabbit().url, 'calls')
    await fleet.host({}, {}, { maxBatch: 4 })
    web = await fleet.startWeb()
  })
  after(() => fleet.close())
  afterEach(closeOthers)

  it('gets the answer of the pipeline there, with the time of each stage and the info of the pipeline', async () => {
    let told: unknown
    let total = 0
    const answer = await web.call('predict', order('a'), {
      onInfo: (info) => {
        told = info
      },
      onTiming: (timing) => {
        total = timing.total
      },
    })
    expect(answer).to.deep.equal({ sha256: hash('a'), version: '1', size: 1 })
    expect(told).to.deep.equal({ version: '1', device: 'cpu' })
    expect(total).to.be.greaterThan(0)
    expect(web.stats()).to.deep.include({ state: 'ready', info: told, queued: 0, inFlight: 0, capacity: 8 })
  })

  it('gets its own answer among hundreds, which the host computes in batches', async () => {
    const texts = Array.from({ length: 200 }, (_, i) => `picture ${i}`)
    const answers = await Promise.all(texts.map((text) => web.call<Hashed>('predict', order(text))))
    expect(answers.map(({ sha256 }) => sha256)).to.deep.equal(texts.map(hash))
    expect(Math.max(...answers.map(({ size }) => size))).to.equal(4)
  })

  it('carries bytes, dates and nested values as they are', async () => {
    const value = {
      bytes: new Uint8Array([0, 255]),
      when: new Date(0),
      list: [1.5, -1, 'ü', null, true, { a: [] }],
    }
    const { echo } = await web.call<{ echo: unknown }>('predict', { text: 'e', echo: value })
    expect(echo).to.deep.equal(value)
  })

  for (const [what, value] of Object.entries({
    'a function': () => 0,
    'a Map': new Map(),
    'an instance of a class': new (class Own {})(),
    'an array of floats': new Float32Array(1),
  })) {
    it(`is refused with ${what} as input, which would arrive as something else`, async () => {
      expect(await codeOf(web.call('predict', { text: 'x', value }))).to.equal('ERR_NOT_CLONEABLE')
    })
  }

  it('fails when the answer cannot cross', async () => {
    expect(await codeOf(web.call('predict', order('x', { answer: 'map' })))).to.equal('ERR_NOT_CLONEABLE')
  })

  it('fails with the code and the message of the pipeline, alone in its batch', async () => {
    const bad = errorOf(web.call('predict', order('b', { fail: 'ERR_IMAGE_DECODE' })))
    const good = web.call<Hashed>('predict', order('c'))
    expect(await bad).to.deep.include({ code: 'ERR_IMAGE_DECODE', message: '"b" has failed', name: 'Error' })
    expect((await good).sha256).to.equal(hash('c'))
  })

  it('fails with the error of the Broker on that host', async () => {
    const error = await errorOf(web.call('undeclared', order('d')))
    expect(error).to.deep.include({ code: 'ERR_UNKNOWN_METHOD', name: 'BrokerError' })
  })

  it('fails alone when its input or its answer is larger than a message of RabbitMQ may be', async () => {
    const others = Array.from({ length: 5 }, (_, i) => web.call<Hashed>('predict', order(`other ${i}`)))
    const input = codeOf(web.call('predict', order('x'.repeat(MAX_MESSAGE_BYTES))))
    expect(await input).to.equal('ERR_TOO_LARGE')
    expect(await codeOf(web.call('predict', order('y', { answer: 'large' })))).to.equal('ERR_TOO_LARGE')
    expect((await Promise.all(others)).map(({ sha256 }) => sha256)).to.deep.equal(
      others.map((_, i) => hash(`other ${i}`)),
    )
  })

  it('is answered although RabbitMQ has closed the channel over an answer that is too large, and leaves nothing behind', async () => {
    const other = another(rabbit().url, 'too-large')
    const host = await other.host({}, {}, { maxBatch: 4 })
    const caller = await other.startWeb()
    const slow = Array.from({ length: 3 }, (_, i) =>
      caller.call<Hashed>('predict', order(`${i}`, { ms: 300 })),
    )
    const large = [0, 1].map(() => codeOf(caller.call('predict', order('l', { answer: 'large' }))))
    expect(await Promise.all(large)).to.deep.equal(['ERR_TOO_LARGE', 'ERR_TOO_LARGE'])
    expect((await Promise.all(slow)).map(({ sha256 }) => sha256)).to.deep.equal(['0', '1', '2'].map(hash))
    // After the first refusal, the host knows the limit.
    expect(await codeOf(caller.call('predict', order('l', { answer: 'large' })))).to.equal('ERR_TOO_LARGE')
    await until(() => host.stats().held === 0, 5000, 'the host holds nothing')
    expect(host.stats().reconnects).to.equal(1)
    await host.close()
    // RabbitMQ would give another host what the first one has not acknowledged.
    const second = await other.host()
    expect((await caller.call<Hashed>('predict', order('last'))).sha256).to.equal(hash('last'))
    expect(second.stats()).to.deep.include({ redelivered: 0, answered: 1 })
  })

  it('is answered after the queue of replies was lost, while a host had an answer for it', async () => {
    const other = another(rabbit().url, 'replies-lost')
    const host = await other.host()
    const caller = await other.startWeb()
    const lost = caller.call<Hashed>('predict', order('lost', { ms: 1000 }))
    await until(() => host.stats().held === 1, 5000, 'the host has the call')
    const connection = await connect(rabbit().url)
    const channel = await connection.createChannel()
    await channel.deleteQueue(caller.web.replyTo)
    await connection.close()
    await until(() => host.stats().held === 0, 20_000, 'the answer is dropped')
    expect((await lost).sha256).to.equal(hash('lost'))
    const { answered, repeated, dropped } = host.stats()
    expect(answered).to.equal(1)
    // A host that looks for its callers while the queue is away drops the call, and computes the call that comes again.
    expect(repeated + dropped, 'calls that came again').to.be.at.least(1)
  })

  it('ends with its deadline', async () => {
    expect(await codeOf(web.call('predict', order('slow', { ms: 300 }), { deadline: 50 }))).to.equal(
      'ERR_DEADLINE',
    )
  })

  it('reports its place in the queue', async () => {
    const places: number[] = []
    const calls = Array.from({ length: 10 }, (_, i) => {
      const options = i === 9 ? { onPosition: (place: number) => places.push(place) } : {}
      return web.call('predict', order(`place ${i}`, { ms: 20 }), options)
    })
    await Promise.all(calls)
    expect(places[0]).to.equal(2)
    expect(places.at(-1)).to.equal(0)
  })

  it('is refused while no host has ever served the pipeline', async () => {
    const nowhere = another(rabbit().url, 'nowhere')
    const caller = nowhere.web()
    void caller.start().catch(() => undefined)
    await until(() => caller.stats().fleet?.connected === true, 10_000, 'connected')
    const error = await errorOf(caller.call('predict', order('e')))
    expect(error).to.deep.include({ code: 'ERR_NOT_READY', message: 'No model host serves "nowhere".' })
    expect(caller.stats()).to.deep.include({
      state: 'starting',
      progress: { fraction: 0, word: 'No model host serves "nowhere" yet.' },
    })
    expect(caller.stats().fleet?.returned).to.equal(1)
  })

  it('is refused when RabbitMQ cannot be reached, and the message holds neither user nor password', async () => {
    const url = rabbit().url.replace('guest:guest', 'someone:secret')
    const caller = fleet.web({ url: [url.replace(/:\d+$/, ':1'), url] })
    void caller.start().catch(() => undefined)
    const why = () => caller.web.lastError?.message ?? ''
    await until(() => /refuses the user/.test(why()), 10_000, 'an error')
    expect(why()).to.match(/^RabbitMQ at 127\.0\.0\.1:\d+ refuses/)
    expect(why()).not.to.match(/someone|secret/)
    const { error, progress } = caller.stats()
    expect([error?.message, progress?.word]).to.deep.equal([
      'There is no connection to RabbitMQ.',
      'There is no connection to RabbitMQ.',
    ])
    expect(await codeOf(caller.call('predict', order('f'), { deadline: 20 }))).to.equal('ERR_DEADLINE')
    caller.kill()
  })

  it('is refused after close(), which waits for the accepted calls', async () => {
    const caller = fleet.web()
    await caller.start()
    const accepted = caller.call<Hashed>('predict', order('g', { ms: 100 }))
    const closing = caller.close()
    expect(await codeOf(caller.call('predict', order('h')))).to.equal('ERR_CLOSED')
    expect((await accepted).sha256).to.equal(hash('g'))
    await closing
    expect(caller.stats().state).to.equal('closed')
  })
})

describeFleet('The queue of calls', (rabbit) => {
  afterEach(closeOthers)

  it('is bounded: RabbitMQ refuses the call that is too many, at once', async () => {
    const fleet = another(rabbit().url, 'full')
    const limits = { maxQueue: 5 }
    const host = await fleet.host(limits, {}, { maxBatch: 1 })
    const callers = [await fleet.startWeb(limits), await fleet.startWeb(limits)]
    await Promise.all(callers.map((caller) => knowsHosts(caller, 1)))
    const calls = callers.flatMap((caller) =>
      Array.from({ length: 6 }, (_, i) => codeOr(caller.call('predict', order(`full ${i}`, { ms: 300 })))),
    )
    const codes = await Promise.all(calls)
    // Two are in the child, five in the queue.
    expect(codes.filter((code) => code === 'ok')).to.have.length(7)
    expect(codes.filter((code) => code === 'ERR_QUEUE_FULL')).to.have.length(5)
    expect(callers.map((caller) => caller.stats().fleet?.refused ?? 0).reduce((a, b) => a + b)).to.equal(5)
    await host.close()
  })

  it('is bounded by each caller too: a caller that makes more calls than the queue can hold is refused', async () => {
    const fleet = another(rabbit().url, 'own')
    await fleet.host({ maxQueueBytes: 10_000 }, {}, { maxBatch: 1 })
    const caller = await fleet.startWeb({ maxQueue: 3, maxQueueBytes: 10_000 })
    const many = Array.from({ length: 6 }, () => codeOr(caller.call('predict', order('m', { ms: 50 }))))
    expect((await Promise.all(many)).filter((code) => code === 'ERR_QUEUE_FULL')).to.have.length(1)
    expect(await codeOf(caller.call('predict', order('x'.repeat(10_000))))).to.equal('ERR_QUEUE_FULL')
  })

  it('is used as it is if it exists with other bounds, and every host says so', async () => {
    const fleet = another(rabbit().url, 'differs')
    await fleet.host({ maxQueue: 10 })
    const told: string[] = []
    const caller = fleet.web({ maxQueue: 20 })
    caller.web.on('differs', (queue) => told.push(queue))
    await caller.start()
    expect(await caller.call('predict', order('a'))).to.deep.include({ sha256: hash('a') })
    await until(() => told.length > 0, 5000, 'the host says so')
    expect(told).to.deep.equal(['tandem.calls.differs'])
  })

  it('may be a quorum queue', async () => {
    const fleet = another(rabbit().url, 'quorum')
    await fleet.host({ queueType: 'quorum' })
    const caller = await fleet.startWeb({ queueType: 'quorum' })
    expect(await caller.call('predict', order('a'))).to.deep.include({ sha256: hash('a') })
  })
})

async function codeOr(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'ok',
    (error: { code: string }) => error.code,
  )
}
