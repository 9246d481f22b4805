import { expect } from 'chai'
import { Broker } from '../../broker/broker.ts'
import { brokerFor, codeOf, errorOf, until } from '../support/broker.ts'

describe('Broker.start', () => {
  it('resolves when the pipeline is ready, and shows its info in the stats', async () => {
    const broker = brokerFor('behave')
    expect(broker.stats().state).to.equal('idle')
    await broker.start()
    expect(broker.stats()).to.deep.include({
      state: 'ready',
      info: { device: 'cpu' },
      error: null,
      progress: null,
    })
  })

  it('shows the progress of makePipeline', async () => {
    const broker = brokerFor('starts-slowly', { options: { stepMs: 60 } })
    const told: string[] = []
    const seen = new Set<string | undefined>()
    broker.on('progress', ({ fraction, word }) => {
      told.push(`${word} ${fraction}`)
      seen.add(broker.stats().progress?.word)
    })
    await broker.start()
    expect(told).to.deep.equal(['download 0', 'compile 0.5', 'warm-up 0.9'])
    expect([...seen]).to.deep.equal(['download', 'compile', 'warm-up'])
  })

  it("rejects with the child's own error, keeps it in the stats, and retries until close()", async () => {
    const broker = brokerFor('cannot-start', { maxDeaths: 3 })
    const error = await errorOf(broker.start())
    expect(error).to.include({ code: 'ERR_MODEL_LOAD', message: 'There is no file vgg16.h5.' })
    expect(broker.stats()).to.deep.include({
      state: 'restarting',
      error: { code: error.code, message: error.message, permanent: false },
    })
    const waiting = errorOf(broker.call('predict', {}))
    await until(() => broker.stats().state === 'failed', 10_000, 'three deaths in a row')
    expect(await waiting).to.include({ code: 'ERR_NOT_READY' })
    expect(await codeOf(broker.call('predict', {}))).to.equal('ERR_NOT_READY')
    const { restarts } = broker.stats()
    await until(() => broker.stats().restarts > restarts, 10_000, 'another attempt')
    expect(broker.stats().state).to.equal('failed')
  })

  it('rejects when the module exits at import', async () => {
    const error = await errorOf(brokerFor('exits-at-import').start())
    expect(error).to.include({
      code: 'ERR_CHILD_EXIT',
      message: 'The child exited with code 3 before it was ready.',
    })
  })

  it('rejects when the module is not there, or has no makePipeline', async () => {
    const absent = await errorOf(brokerFor('no-such-file').start())
    expect(absent.code).to.equal('ERR_MODULE_NOT_FOUND')
    const broker = new Broker({ pipeline: 'data:text/javascript,export const other = 1' })
    expect(await errorOf(broker.start())).to.include({ code: 'ERR_OPTION' })
    broker.kill()
  })

  it('rejects when the pipeline reports no progress for startTimeout', async () => {
    const error = await errorOf(brokerFor('never-ready', { startTimeout: 1500 }).start())
    expect(error.message).to.match(/no sign of progress for 1500 ms/)
    await brokerFor('starts-slowly', { startTimeout: 1500, options: { stepMs: 800 } }).start()
  })

  it('reports each change of state once', async () => {
    const broker = brokerFor('behave')
    const states: string[] = []
    broker.on('state', ({ previous, state }) => states.push(`${previous} → ${state}`))
    await broker.start()
    await broker.close()
    expect(states).to.deep.equal([
      'idle → starting',
      'starting → ready',
      'ready → closing',
      'closing → closed',
    ])
  })
})
