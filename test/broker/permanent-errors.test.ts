import { appendFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import type { Broker } from '../../broker/broker.ts'
import { encodeError } from '../../broker/error-wire.ts'
import { brokerFor, codeOf, errorOf, until } from '../support/broker.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

describe('an error of makePipeline that a retry cannot fix', () => {
  let folder = ''
  let path = ''
  beforeEach(() => {
    folder = temporaryFolder()
    path = join(folder, 'model')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  function brokerOf(delayMs = 0): { broker: Broker; starts: () => number } {
    const broker = brokerFor('reads-a-file', { options: { path, delayMs } })
    let starts = 0
    broker.on('child-start', () => starts++)
    return { broker, starts: () => starts }
  }
  const ready = (broker: Broker) =>
    until(() => broker.stats().state === 'ready', 20_000, 'the new file is read')

  it('is reported at once, and starts no other child', async () => {
    writeFileSync(path, 'rubbish')
    const { broker, starts } = brokerOf()
    const error = await errorOf(broker.start())
    expect(error).to.include({ code: 'ERR_MODEL_LOAD', message: 'The file holds rubbish.', permanent: true })
    expect(broker.stats()).to.deep.include({
      state: 'failed',
      restarts: 0,
      error: { code: error.code, message: error.message, permanent: true },
    })
    expect(await codeOf(broker.call('predict', 1))).to.equal('ERR_NOT_READY')
    await delay(2500)
    expect(starts()).to.equal(1)
  })

  it('rejects the calls that wait', async () => {
    const { broker } = brokerOf()
    broker.start().catch(() => {})
    expect(await codeOf(broker.call('predict', 1))).to.equal('ERR_NOT_READY')
  })

  it('ends when the file has been replaced by a good one', async () => {
    writeFileSync(path, 'rubbish')
    const { broker, starts } = brokerOf()
    await errorOf(broker.start())
    writeFileSync(path, 'good')
    await ready(broker)
    expect(await broker.call('predict', 1)).to.equal(1)
    expect(starts()).to.equal(2)
    expect(broker.stats()).to.deep.include({ restarts: 0, error: null })
  })

  it('ends when a missing file appears', async () => {
    const { broker } = brokerOf()
    await errorOf(broker.start())
    await delay(1500)
    writeFileSync(path, 'good')
    await ready(broker)
  })

  it('is reported again when the next file is bad too', async () => {
    const { broker } = brokerOf()
    await errorOf(broker.start())
    writeFileSync(path, 'nonsense')
    await until(() => broker.stats().error?.message === 'The file holds nonsense.', 20_000, 'the new reason')
    await until(() => broker.stats().state === 'failed', 10_000, 'failed again')
    writeFileSync(path, 'good')
    await ready(broker)
  })

  it('notices a change made while the child was still reading the old file', async () => {
    writeFileSync(path, 'rubbish')
    const { broker, starts } = brokerOf(500)
    broker.once('progress', () => writeFileSync(path, 'good'))
    await errorOf(broker.start())
    await ready(broker)
    expect(starts()).to.equal(2)
  })

  it('waits until a file is no longer being written', async () => {
    const { broker, starts } = brokerOf()
    await errorOf(broker.start())
    for (let i = 0; i < 20; i++) {
      appendFileSync(path, 'more')
      await delay(150)
    }
    expect(starts()).to.equal(1)
    writeFileSync(path, 'good')
    await ready(broker)
    expect(starts()).to.equal(2)
  })

  it('is not the reason of the broker as long as another child is tried again', async () => {
    const broker = brokerFor('one-fails-for-good', { options: { path }, workers: 2, maxDeaths: 1 })
    broker.once('child-start', ({ pid }) => writeFileSync(path, String(pid)))
    broker.start().catch(() => {})
    await until(() => broker.stats().state === 'failed', 20_000, 'failed')
    expect(broker.stats().error).to.include({ message: 'The disk is full.', permanent: false })
    expect((await errorOf(broker.call('predict', 1))).message).to.contain('The disk is full.')
  })

  it('lets the broker close while waiting', async () => {
    const { broker, starts } = brokerOf()
    await errorOf(broker.start())
    await broker.close()
    writeFileSync(path, 'good')
    await delay(2500)
    expect(starts()).to.equal(1)
    expect(broker.stats().state).to.equal('closed')
  })

  it('may name up to 256 files, by absolute paths', () => {
    const watch = ['relative', 7, ...Array.from({ length: 300 }, (_, i) => `/file${i}`)]
    const encoded = encodeError(Object.assign(new Error('no'), { permanent: true, watch }))
    expect(encoded.permanent?.watch).to.have.length(256)
    expect(encoded.permanent?.watch[0]).to.equal('/file0')
    expect(encodeError(Object.assign(new Error('no'), { watch })).permanent).to.equal(undefined)
    expect(encodeError(Object.assign(new Error('no'), { permanent: true })).permanent).to.deep.equal({
      watch: [],
    })
  })
})
