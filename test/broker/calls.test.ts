import { expect } from 'chai'
import type { CallTiming } from '../../broker/broker.ts'
import { Broker } from '../../broker/broker.ts'
import { brokerFor, codeOf, errorOf, fixture, startBroker } from '../support/broker.ts'

describe('Broker.call', () => {
  it('answers each caller with the answer to its own input', async () => {
    const broker = await startBroker('behave')
    const inputs = Array.from({ length: 100 }, (_, value) => ({ value }))
    const answers = await Promise.all(inputs.map((input) => broker.call('predict', input)))
    expect(answers).to.deep.equal(inputs.map(({ value }) => value))
  })

  it('carries buffers, dates, maps and big numbers unchanged', async () => {
    const broker = await startBroker('behave')
    const value = { bytes: new Uint8Array([1, 2, 255]), when: new Date(0), map: new Map([['a', 1n]]) }
    expect(await broker.call('predict', { value })).to.deep.equal(value)
  })

  it('calls every method that the pipeline declares, and no other', async () => {
    const broker = await startBroker('behave')
    expect(await broker.call('describe', 'a thing')).to.equal('described a thing')
    for (const method of ['undeclared', 'prepare', 'constructor', '__proto__', '']) {
      expect(await codeOf(broker.call(method, {}))).to.equal('ERR_UNKNOWN_METHOD')
    }
  })

  it('refuses an undeclared method too when it was called before the child was ready', async () => {
    const broker = brokerFor('behave')
    const starting = broker.start()
    const early = codeOf(broker.call('undeclared', {}))
    await starting
    expect(await early).to.equal('ERR_UNKNOWN_METHOD')
  })

  it('answers calls that came while the child was starting', async () => {
    const broker = brokerFor('behave')
    const started = broker.start()
    expect(await broker.call('predict', { value: 'early' })).to.equal('early')
    await started
  })

  it('refuses calls before start()', async () => {
    expect(await codeOf(brokerFor('behave').call('predict', {}))).to.equal('ERR_NOT_READY')
  })

  it('reports the time of each step of a call, and the steps add up to the whole', async () => {
    const broker = await startBroker('behave')
    let timing: CallTiming | undefined
    await broker.call('predict', { prepareMs: 30, predictMs: 40 }, { onTiming: (told) => (timing = told) })
    expect(timing).to.include({ batch: 1 })
    expect(timing?.prepare).to.be.within(28, 200)
    expect(timing?.predict).to.be.within(38, 200)
    const { queue = 0, prepare = 0, predict = 0, total = 0 } = timing ?? {}
    expect(queue + prepare + predict).to.be.closeTo(total, 0.01)
  })

  it('rebuilds an error of the pipeline with name, code, message, stack and cause', async () => {
    const broker = await startBroker('behave')
    const error = await errorOf(broker.call('predict', { do: 'throw', value: 'this' }))
    expect(error).to.include({ name: 'TypeError', code: 'ERR_PIPELINE', message: 'cannot do this' })
    expect(error.stack).to.match(/obey.*behave\.[jt]s/s)
    expect(error.cause?.message).to.equal('the reason')
    expect(await codeOf(broker.call('predict', { do: 'throw-coded' }))).to.equal('ERR_OWN')
    expect(await codeOf(broker.call('predict', { do: 'reject-prepare' }))).to.equal('ERR_IMAGE_DECODE')
  })

  it('refuses an input that cannot be cloned, and other calls go on', async () => {
    const broker = await startBroker('behave')
    const good = broker.call('predict', { value: 1 })
    const bad = codeOf(broker.call('predict', { value: () => {} }))
    const also = broker.call('predict', { value: 2 })
    expect(await Promise.all([good, bad, also])).to.deep.equal([1, 'ERR_NOT_CLONEABLE', 2])
    expect(broker.stats()).to.include({ queued: 0, inFlight: 0, restarts: 0 })
  })

  it('names a wrong option, the expected value and the given value', () => {
    const wrong = (options: object) => () => new Broker({ pipeline: fixture('behave'), ...options })
    expect(wrong({ maxBatch: 0 })).to.throw('maxBatch must be a whole number from 1 to 4096, but is 0.')
    expect(wrong({ workers: 1.5 })).to.throw(/workers.*1\.5/)
    expect(wrong({ pipeline: 'relative/path.js' })).to.throw(/pipeline must be a URL or an absolute path/)
    expect(wrong({ options: { log: () => {} } })).to.throw(/options cannot be sent to a child/)
  })
})
