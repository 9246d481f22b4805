import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { codeOf, errorOf, startBroker, until } from '../support/broker.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

describe('A call ends once', () => {
  it('by its deadline, and the late answer under its key is dropped', async () => {
    const broker = await startBroker('behave')
    const outcomes: string[] = []
    broker.on('call', ({ outcome }) => outcomes.push(outcome))
    expect(await codeOf(broker.call('predict', { predictMs: 200 }, { deadline: 50 }))).to.equal(
      'ERR_DEADLINE',
    )
    expect(broker.stats().inFlight).to.equal(1)
    await until(() => broker.stats().inFlight === 0, 10_000, 'the late answer')
    expect(await broker.call('predict', { value: 'next' })).to.equal('next')
    expect(outcomes).to.deep.equal(['deadline', 'result'])
  })

  it('by its deadline in the queue, and is then never predicted', async () => {
    const journal = join(temporaryFolder(), 'journal')
    const broker = await startBroker('behave', { options: { journal }, maxBatch: 1 })
    const busy = ['a', 'b'].map((value) => broker.call('predict', { value, predictMs: 500 }))
    const late = codeOf(broker.call('predict', { value: 'late' }, { deadline: 60 }))
    expect(await late).to.equal('ERR_DEADLINE')
    await Promise.all(busy)
    expect(readFileSync(journal, 'utf8')).to.equal('["a"]\n["b"]\n')
  })

  it('when its caller aborts it in the queue, in the child, or while it runs', async () => {
    const journal = join(temporaryFolder(), 'journal')
    const broker = await startBroker('behave', { options: { journal }, maxBatch: 1 })
    const callers = ['runs', 'in child', 'in queue'].map((value) => {
      const caller = new AbortController()
      return {
        caller,
        code: codeOf(broker.call('predict', { value, predictMs: 150 }, { signal: caller.signal })),
      }
    })
    await until(() => broker.stats().inFlight === 2, 10_000, 'the child is full')
    await until(
      () => existsSync(journal) && readFileSync(journal, 'utf8') !== '',
      10_000,
      'the first call runs',
    )
    for (const { caller } of callers) caller.abort(new Error('client closed'))
    expect(await Promise.all(callers.map(({ code }) => code))).to.deep.equal(Array(3).fill('ERR_ABORTED'))
    await until(() => broker.stats().inFlight === 0, 10_000, 'what runs is finished')
    await broker.call('predict', { value: 'last' })
    expect(readFileSync(journal, 'utf8')).to.equal('["runs"]\n["last"]\n')
  })

  it('before it begins, when its signal is aborted already', async () => {
    const broker = await startBroker('behave')
    const error = await errorOf(broker.call('predict', {}, { signal: AbortSignal.abort(new Error('why')) }))
    expect(error).to.include({ code: 'ERR_ABORTED' })
    expect(error.cause?.message).to.equal('why')
  })

  it('even if its onTiming throws, and so do the calls beside it', async () => {
    const broker = await startBroker('behave')
    const thrown: unknown[] = []
    const listeners = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', (error) => thrown.push(error.message))
    const onTiming = () => {
      throw new Error('from onTiming')
    }
    const calls = [1, 2, 3].map((value) => broker.call('predict', { value }, value === 2 ? { onTiming } : {}))
    expect(await Promise.all(calls)).to.deep.equal([1, 2, 3])
    await new Promise((resolve) => setTimeout(resolve, 20))
    process.removeAllListeners('uncaughtException')
    for (const listener of listeners) process.on('uncaughtException', listener)
    expect(thrown).to.deep.equal(['from onTiming'])
  })

  it('before it begins, when its input throws on access or its signal is not a signal', async () => {
    const broker = await startBroker('behave')
    const input = {
      get field() {
        throw new TypeError('do not look')
      },
    }
    expect((await errorOf(broker.call('predict', input))).message).to.equal('do not look')
    const signal = {} as AbortSignal
    expect(await codeOf(broker.call('predict', {}, { signal }))).to.equal('ERR_OPTION')
    expect(broker.stats().queued).to.equal(0)
  })

  it('when its caller aborts it, but a running preparation counts until it ends', async () => {
    const broker = await startBroker('behave', { maxBatch: 2 })
    const codes = []
    for (let i = 0; i < 10; i++) {
      const signal = AbortSignal.timeout(10)
      codes.push(await codeOf(broker.call('predict', { prepareMs: 400 }, { signal })))
    }
    expect(codes).to.deep.equal(Array(10).fill('ERR_ABORTED'))
    expect(broker.stats().inFlight).to.equal(4)
    await until(() => broker.stats().inFlight === 0, 10_000, 'the preparations have ended')
  })

  it('with a wrong deadline, before it begins', async () => {
    const broker = await startBroker('behave')
    for (const deadline of [0, -1, 1.5, Number.NaN, 2 ** 31]) {
      expect(await codeOf(broker.call('predict', {}, { deadline }))).to.equal('ERR_OPTION')
    }
  })
})
