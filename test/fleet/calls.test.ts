import { expect } from 'chai'
import { codeOf, errorOf, until } from '../support/broker.ts'
import { hash, order, TestFleet } from '../support/fleet.ts'
import { HAS_RABBITMQ, sharedRabbitMq } from '../support/rabbitmq.ts'

;(HAS_RABBITMQ ? describe : describe.skip)('A call to another host', () => {
  const rabbit = sharedRabbitMq()
  let fleet: TestFleet

  before(async () => {
    fleet = new TestFleet(rabbit().url, 'calls')
  })
  after(() => fleet.close())

  it('gets the answer of the pipeline there, with the time of each stage and the info of the pipeline', async () => {
    await fleet.host()
    const web = await fleet.startWeb()
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
    expect(web.stats()).to.deep.include({ state: 'ready', info: told, queued: 0, inFlight: 0 })
  })

  it('among hundreds gets its own answer', async () => {
    const web = await fleet.startWeb()
    const texts = Array.from({ length: 200 }, (_, i) => `picture ${i}`)
    const answers = await Promise.all(texts.map((text) => web.call<{ sha256: string }>('predict', order(text))))
    expect(answers.map(({ sha256 }) => sha256)).to.deep.equal(texts.map(hash))
  })
  void codeOf
  void errorOf
  void until
})
