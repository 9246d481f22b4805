import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { codeOf, errorOf, startBroker, until } from '../support/broker.ts'

describe('A call ends once', () => {
  it('by its deadline, and the late answer under its key is dropped', async () => {
    const broker = await startBroker('behave')
    const outcomes: string[] = []
    broker.on('call', ({ outcome }) => outcomes.push(outcome))
    expect(await codeOf(broker.call('predict', { predictMs: 200 }, { deadline: 50 }))).to.equal(
      'ERR_DEADLINE',
    )
    expect(broker.stats().inFlight).to.equal(1)
    await until(() => broker.stats().inFlight === 0, 1000, 'the late answer')
    expect(await broker.call('predict', { value: 'next' })).to.equal('next')
    expect(outcomes).to.deep.equal(['deadline', 'result'])
  })

  it('by its deadline while it waits, and then it is never predicted', async () => {
    const journal = join(mkdtempSync(join(tmpdir(), 'tandem-')), 'journal')
    const broker = await startBroker('behave', { options: { journal }, maxBatch: 1 })
    const busy = ['a', 'b'].map((value) => broker.call('predict', { value, predictMs: 150 }))
    const late = codeOf(broker.call('predict', { value: 'late' }, { deadline: 60 }))
    expect(await late).to.equal('ERR_DEADLINE')
    await Promise.all(busy)
    expect(readFileSync(journal, 'utf8')).to.equal('["a"]\n["b"]\n')
  })

  it('by its caller, whether it waits in the queue, in the child, or runs', async () => {
    const journal = join(mkdtempSync(join(tmpdir(), 'tandem-')), 'journal')
    const broker = await startBroker('behave', { options: { journal }, maxBatch: 1 })
    const callers = ['runs', 'in child', 'in queue'].map((value) => {
      const caller = new AbortController()
      return {
        caller,
        code: codeOf(broker.call('predict', { value, predictMs: 150 }, { signal: caller.signal })),
      }
    })
    await until(() => broker.stats().inFlight === 2, 1000, 'the child is full')
    await until(() => readFileSync(journal, 'utf8') !== '', 1000, 'the first call runs')
    for (const { caller } of callers) caller.abort(new Error('client closed'))
    expect(await Promise.all(callers.map(({ code }) => code))).to.deep.equal(Array(3).fill('ERR_ABORTED'))
    await until(() => broker.stats().inFlight === 0, 1000, 'what runs is finished')
    await broker.call('predict', { value: 'last' })
    expect(readFileSync(journal, 'utf8')).to.equal('["runs"]\n["last"]\n')
  })

  it('before it begins, when its caller has gone already', async () => {
    const broker = await startBroker('behave')
    const error = await errorOf(broker.call('predict', {}, { signal: AbortSignal.abort(new Error('why')) }))
    expect(error).to.include({ code: 'ERR_ABORTED' })
    expect(error.cause?.message).to.equal('why')
  })

  it('with a wrong deadline, before it begins', async () => {
    const broker = await startBroker('behave')
    for (const deadline of [0, -1, 1.5, Number.NaN, 2 ** 31]) {
      expect(await codeOf(broker.call('predict', {}, { deadline }))).to.equal('ERR_OPTION')
    }
  })
})
