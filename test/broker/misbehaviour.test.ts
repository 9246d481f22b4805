import { readdirSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { expect } from 'chai'
import { codeOf, errorOf, startBroker, until } from '../support/broker.ts'

describe('A pipeline that', () => {
  for (const way of ['hang', 'spin'] as const) {
    it(`never returns ("${way}") is killed after hangTimeout; its call fails, those beside it succeed`, async () => {
      const broker = await startBroker('behave', { hangTimeout: 400 })
      const good = [1, 2].map((value) => broker.call('predict', { value }))
      const error = await errorOf(broker.call('predict', { do: way }))
      expect(error.code).to.equal('ERR_CHILD_EXIT')
      expect(error.message).to.match(/no answer for 400 ms/)
      expect(await Promise.all(good)).to.deep.equal([1, 2])
      expect(await broker.call('predict', { value: 'next' })).to.equal('next')
    })
  }

  it('never finishes one preparation is killed, even if it answers other calls', async () => {
    const broker = await startBroker('behave', { hangTimeout: 150, maxBatch: 2 })
    const hung = codeOf(broker.call('predict', { do: 'hang-prepare' }))
    let over = false
    const busy = (async () => {
      while (!over) expect(await broker.call('predict', { value: 1, predictMs: 20 })).to.equal(1)
    })()
    expect(await hung).to.equal('ERR_CHILD_EXIT')
    over = true
    await busy
    expect(broker.stats().restarts).to.equal(2)
  })

  it('is slow, but within hangTimeout, is left alone', async () => {
    const broker = await startBroker('behave', { hangTimeout: 400, maxBatch: 1 })
    const calls = [1, 2, 3, 4].map((value) => broker.call('predict', { value, predictMs: 250 }))
    expect(await Promise.all(calls)).to.deep.equal([1, 2, 3, 4])
    expect(broker.stats().restarts).to.equal(0)
  })

  it('was idle for longer than hangTimeout is left alone', async () => {
    const broker = await startBroker('behave', { hangTimeout: 100 })
    await broker.call('predict', {})
    await new Promise((resolve) => setTimeout(resolve, 250))
    await broker.call('predict', { predictMs: 50 })
    expect(broker.stats().restarts).to.equal(0)
  })

  for (const [way, code] of [
    ['garbage', 'ERR_PROTOCOL'],
    // All that follows is taken for the rest of it: the child seems silent.
    ['giant-header', 'ERR_CHILD_EXIT'],
    ['false-failure', 'ERR_PROTOCOL'],
  ] as const) {
    it(`writes garbage into the pipe ("${way}") is replaced, and the parent lives`, async () => {
      const broker = await startBroker('behave', { hangTimeout: 700 })
      const error = await errorOf(broker.call('predict', { do: way }))
      expect(error.code).to.equal('ERR_CHILD_EXIT')
      expect(error.cause).to.include({ code })
      expect(await broker.call('predict', { value: 'next' })).to.equal('next')
    })
  }

  it('answers with more bytes than maxMessageBytes fails with an error that has both numbers', async () => {
    const broker = await startBroker('behave', { maxMessageBytes: 2 ** 17 })
    const error = await errorOf(broker.call('predict', { value: Buffer.alloc(300_000) }))
    expect(error.cause?.message).to.match(/bytes without the end of a message, the limit is 131072/)
    expect(await broker.call('predict', { value: Buffer.alloc(60_000) })).to.have.lengthOf(60_000)
  })

  for (const way of [
    'sparse-answers',
    'sparse-answer',
    'holes-in-answers',
    'doubled-answer',
    'deep-answer',
  ] as const) {
    it(`sends a small message that would be endless to walk ("${way}") is replaced, and the parent does not block`, async () => {
      const broker = await startBroker('behave', { hangTimeout: 2000 })
      const delays = monitorEventLoopDelay({ resolution: 5 })
      delays.enable()
      const error = await errorOf(broker.call('predict', { do: way }))
      delays.disable()
      expect(error.code).to.equal('ERR_CHILD_EXIT')
      expect(error.cause).to.include({ code: 'ERR_PROTOCOL' })
      expect(delays.max / 1e6, 'the longest delay in ms').to.be.below(1500)
      expect(await broker.call('predict', { value: 'next' })).to.equal('next')
    })
  }

  it('answers with a small sparse array, or with one object many times, is fine', async () => {
    const broker = await startBroker('behave')
    const sparse: unknown[] = []
    sparse[3] = 'x'
    expect(await broker.call('predict', { value: sparse })).to.have.lengthOf(4)
    const guess = { label: 'cat', scores: [1, 2, 3] }
    const many = Array.from({ length: 1000 }, () => guess)
    expect(await broker.call('predict', { value: new Map([['all', many]]) })).to.have.property('size', 1)
  })

  it('sends a message of Node’s own for passing handles does no harm', async () => {
    const broker = await startBroker('behave')
    expect(await broker.call('predict', { do: 'internal-message', value: 1 })).to.equal(1)
  })

  it('hangs and still reports progress is killed after hangTimeout', async () => {
    const broker = await startBroker('behave', { hangTimeout: 300 })
    const start = performance.now()
    const error = await errorOf(broker.call('predict', { do: 'progress-for-ever' }))
    expect(error.message).to.match(/no answer for 300 ms/)
    expect(performance.now() - start).to.be.below(2_000)
  })

  it('throws a value whose properties throw fails alone', async () => {
    const broker = await startBroker('behave')
    expect(await codeOf(broker.call('predict', { do: 'throw-proxy' }))).to.equal('ERR_PIPELINE')
    expect(broker.stats().restarts).to.equal(0)
  })

  it('prints without a pause does not block the parent', async () => {
    const broker = await startBroker('behave')
    let lines = 0
    broker.on('log', () => lines++)
    const delays = monitorEventLoopDelay({ resolution: 5 })
    delays.enable()
    await broker.call('predict', { do: 'print-for-a-second' })
    delays.disable()
    expect(lines).to.be.within(1_000, 30_000)
    expect(delays.percentile(99) / 1e6).to.be.below(300)
  })

  it('leaves a process behind that keeps its pipes open costs no descriptors', async () => {
    const descriptors = () => readdirSync('/proc/self/fd').length
    const broker = await startBroker('behave')
    const before = descriptors()
    for (let i = 0; i < 3; i++)
      expect(await codeOf(broker.call('predict', { do: 'leave-process' }))).to.equal('ERR_CHILD_EXIT')
    await broker.call('predict', {})
    await until(() => descriptors() <= before, 10_000, `no more than ${before} descriptors`)
  })

  it('closes its own pipe is replaced', async () => {
    const broker = await startBroker('behave')
    expect(await codeOf(broker.call('predict', { do: 'disconnect' }))).to.equal('ERR_CHILD_EXIT')
    expect(await broker.call('predict', { value: 'next' })).to.equal('next')
  })

  it('prints gives one log event for each line, with its pid', async () => {
    const broker = await startBroker('behave')
    const lines: string[] = []
    broker.on('log', ({ stream, line, pid }) =>
      lines.push(`${stream} ${line} ${pid === broker.stats().workers[0]?.pid}`),
    )
    await broker.call('predict', { do: 'print', value: 'x' })
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(lines.sort()).to.deep.equal([
      'stderr warning of x true',
      'stdout first of x true',
      'stdout second of x true',
    ])
  })
})
