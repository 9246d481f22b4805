import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Broker } from '../../../broker/broker.ts'
import { type Classifier, createClassifier } from '../../../lib/models/classifier.ts'
import { PipelineInfos } from '../../../lib/models/pipeline-info.ts'
import type { Script } from '../../fixtures/pipelines/scripted.ts'
import { codeOf, startBroker, until } from '../../support/broker.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const IMAGE = Buffer.from('an image')
const OTHER = Buffer.from('another image')
const COUNT = 20

describe('The same image in several requests at once', () => {
  const folder = temporaryFolder()
  let record = ''
  let broker: Broker
  let outcomes: string[] = []
  let counted: string[] = []
  let tests = 0

  /** One model at a time: what waits behind an image is known to wait. */
  async function start(script: Script = {}, cacheEntries = 10): Promise<Classifier> {
    record = join(folder, `record-${tests++}`)
    writeFileSync(record, '')
    const path = join(folder, `script-${tests}.json`)
    writeFileSync(path, JSON.stringify({ version: '1', predictMs: 100, record, ...script }))
    broker = await startBroker('scripted', { options: { path }, maxBatch: 1 })
    outcomes = []
    counted = []
    broker.on('call', ({ outcome }) => outcomes.push(outcome))
    const brokers = new Map([['model', broker]])
    return createClassifier(
      brokers,
      { cacheEntries, pipeline: '' },
      new PipelineInfos(brokers),
      (_, outcome) => counted.push(outcome),
    )
  }

  const computed = () => readFileSync(record, 'utf8').trim().split('\n').filter(Boolean)
  const never = () => new AbortController().signal
  const ask = (classifier: Classifier, image = IMAGE, signal = never()) =>
    classifier.classify('model', image, {}, { signal })

  it('is computed once, and all requests get the answer', async () => {
    const classifier = await start()
    const answers = await Promise.all(Array.from({ length: COUNT }, () => ask(classifier)))
    expect(answers.map(({ value }) => value)).to.deep.equal(Array(COUNT).fill('an image'))
    expect(answers.map(({ timing }) => timing.shared ?? false)).to.deep.equal([
      false,
      ...Array(COUNT - 1).fill(true),
    ])
    expect(computed()).to.deep.equal(['an image'])
    expect(counted).to.deep.equal(['miss', ...Array(COUNT - 1).fill('shared')])
    expect((await ask(classifier)).timing.cached).to.equal(true)
    expect(computed()).to.have.length(1)
  })

  for (const [which, index] of [
    ['the first', 0],
    ['one in the middle', 2],
    ['the last', 4],
  ] as const) {
    it(`is still computed once when ${which} of the waiting clients leaves`, async () => {
      const classifier = await start()
      const controllers = Array.from({ length: 5 }, () => new AbortController())
      const waiting = controllers.map(({ signal }) =>
        ask(classifier, IMAGE, signal).catch((error: unknown) => error),
      )
      await until(() => broker.stats().inFlight === 1, 5000, 'the call')
      const reason = new Error('left')
      controllers[index]?.abort(reason)
      expect(await waiting[index]).to.equal(reason)
      for (const [i, answer] of (await Promise.all(waiting)).entries()) {
        if (i !== index) expect(answer).to.include({ value: 'an image' })
      }
      expect(computed()).to.deep.equal(['an image'])
      expect(outcomes).to.deep.equal(['result'])
    })
  }

  it('leaves the queue when all clients have left', async () => {
    const classifier = await start()
    const before = ['a', 'b', 'c'].map((text) => ask(classifier, Buffer.from(text)))
    const controllers = Array.from({ length: 3 }, () => new AbortController())
    const waiting = controllers.map(({ signal }) => ask(classifier, OTHER, signal).catch(() => 'left'))
    await until(() => broker.stats().queued > 0, 5000, 'the call in the queue')
    for (const controller of controllers) controller.abort(new Error('left'))
    expect(await Promise.all(waiting)).to.deep.equal(['left', 'left', 'left'])
    await Promise.all(before)
    await until(() => broker.stats().inFlight + broker.stats().queued === 0, 5000, 'the end')
    expect(computed()).to.deep.equal(['a', 'b', 'c'])
    expect(outcomes.filter((outcome) => outcome !== 'result')).to.have.length(1)
  })

  it('is computed again for a client that comes after all others have left', async () => {
    const classifier = await start()
    const controller = new AbortController()
    const left = ask(classifier, IMAGE, controller.signal).catch(() => 'left')
    await until(() => broker.stats().inFlight === 1, 5000, 'the call')
    controller.abort(new Error('left'))
    expect(await left).to.equal('left')
    const { value, timing } = await ask(classifier)
    expect([value, timing.shared]).to.deep.equal(['an image', undefined])
  })

  it('is not computed for a client that has left already', async () => {
    const classifier = await start()
    const reason = new Error('left')
    expect(await ask(classifier, IMAGE, AbortSignal.abort(reason)).catch((error: unknown) => error)).to.equal(
      reason,
    )
    expect(outcomes).to.deep.equal([])
    expect(broker.stats().queued + broker.stats().inFlight).to.equal(0)
  })

  it('fails for all waiting clients, and is computed again for a later client', async () => {
    const classifier = await start({ failures: { 'an image': 'ERR_IMAGE_DECODE' } })
    const codes = await Promise.all([1, 2, 3].map(() => codeOf(ask(classifier))))
    expect(codes).to.deep.equal(Array(3).fill('ERR_IMAGE_DECODE'))
    expect(outcomes).to.have.length(1)
    expect(await codeOf(ask(classifier))).to.equal('ERR_IMAGE_DECODE')
    expect(outcomes).to.have.length(2)
    expect(counted).to.deep.equal(['miss', 'shared', 'shared', 'miss'])
  })

  it('has its position in the queue sent to each client', async () => {
    const classifier = await start()
    const told: number[][] = [[], []]
    const before = ['a', 'b', 'c'].map((text) => ask(classifier, Buffer.from(text)))
    const waiting = told.map((positions) =>
      classifier.classify(
        'model',
        OTHER,
        {},
        { signal: never(), onPosition: (position) => void positions.push(position) },
      ),
    )
    await Promise.all([...before, ...waiting])
    for (const positions of told) {
      expect(positions.length).to.be.greaterThan(0)
      expect(positions.at(-1)).to.equal(0)
    }
  })

  it('is computed once per request if the model reports no version', async () => {
    const unknown = await start({ version: '' })
    await Promise.all([ask(unknown), ask(unknown)])
    expect(computed()).to.have.length(2)
  })

  it('is kept together with as many others as CACHE_ENTRIES says; the least recently used is removed first', async () => {
    const classifier = await start({ predictMs: 0 }, 3)
    const isCached = async (text: string) => (await ask(classifier, Buffer.from(text))).timing.cached === true
    for (const text of ['a', 'b', 'c']) expect(await isCached(text)).to.equal(false)
    expect(await isCached('a')).to.equal(true)
    expect(await isCached('d')).to.equal(false)
    expect(await isCached('b')).to.equal(false)
    expect(await isCached('a')).to.equal(true)
  })

  it('is computed again for another model, even of the same version', async () => {
    const scripts = {
      one: { version: '1', answer: 'of one' },
      other: { version: '1', answer: 'of the other' },
    }
    const brokers = new Map<string, Broker>()
    for (const [name, script] of Object.entries(scripts)) {
      const path = join(folder, `${name}.json`)
      writeFileSync(path, JSON.stringify(script))
      brokers.set(name, await startBroker('scripted', { options: { path } }))
    }
    const options = { cacheEntries: 10, pipeline: '' }
    const classifier = createClassifier(brokers, options, new PipelineInfos(brokers), () => {})
    const models = ['one', 'other', 'one', 'other']
    const all = models.map((model) => classifier.classify(model, IMAGE, {}, { signal: never() }))
    expect((await Promise.all(all)).map(({ value }) => value)).to.deep.equal([
      'of one',
      'of the other',
      'of one',
      'of the other',
    ])
  })

  it('takes the room of many entries when all its guesses are kept', async () => {
    const classifier = await start({ predictMs: 0, answer: Array.from({ length: 20 }, (_, i) => i) }, 3)
    const isCached = async (text: string) => (await ask(classifier, Buffer.from(text))).timing.cached === true
    expect([
      await isCached('a'),
      await isCached('a'),
      await isCached('b'),
      await isCached('a'),
    ]).to.deep.equal([false, true, false, false])
  })

  it('is computed again each time with CACHE_ENTRIES=0', async () => {
    const classifier = await start({ predictMs: 0 }, 0)
    const answers = [await ask(classifier), ...(await Promise.all([ask(classifier), ask(classifier)]))]
    for (const { timing } of answers) expect(timing).not.to.have.any.keys('cached', 'shared')
    expect(computed()).to.have.length(3)
    expect(counted).not.to.include('hit').and.not.to.include('shared')
  })
})
