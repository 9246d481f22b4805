import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { type Service, startService, until } from '../support/service.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const DIGITS = fileURLToPath(new URL('../../weights/digits', import.meta.url))
const WITHIN_MS = 60_000
const NOBODY_LISTENS = 'http://127.0.0.1:9'
const SHORT = 'mobilenet_1_0_224_tf.h5'

interface ModelState {
  state: string
  restarts: number
  error: { code: string; message: string } | null
  progress: { word: string } | null
}

describe('a model whose files are wrong', function () {
  this.timeout(2 * WITHIN_MS)
  let folder = ''
  let service: Service

  before(async () => {
    folder = temporaryFolder()
    for (const name of ['unsupported', 'damaged', 'labelled']) {
      cpSync(DIGITS, join(folder, name), { recursive: true })
    }
    const topology = readFileSync(join(DIGITS, 'model.json'), 'utf8')
    writeFileSync(join(folder, 'unsupported', 'model.json'), topology.replaceAll('"Flatten"', '"LSTM"'))
    writeFileSync(join(folder, 'damaged', 'group1-shard1of1.bin'), 'rubbish')
    writeFileSync(join(folder, 'labelled.json'), JSON.stringify({ labels: 'labels.txt' }))
    writeFileSync(join(folder, 'labels.txt'), 'one\ntwo\nthree')
    writeFileSync(join(folder, SHORT), 'an interrupted copy')
    const before = new Date(Date.now() - 60_000)
    utimesSync(join(folder, SHORT), before, before)
    service = await startService({
      MODELS: `unsupported,damaged,labelled,missing=${join(folder, 'elsewhere', 'pets.h5')},unnamed,mobilenet`,
      WEIGHTS_DIR: folder,
      WEIGHTS_URL: NOBODY_LISTENS,
      DEVICE: 'cpu',
    })
    await until(
      async () => Object.values(await models()).every(({ state }) => state === 'failed'),
      'the failure of all models',
      WITHIN_MS,
    )
  })
  after(async () => {
    await service?.stop()
    rmSync(folder, { recursive: true })
  })

  async function models(): Promise<Record<string, ModelState>> {
    const answer = await fetch(`${service.url}/readyz`)
    return ((await answer.json()) as { models: Record<string, ModelState> }).models
  }
  const becomes = (name: string, state: string) =>
    until(async () => (await models())[name]?.state === state, `${name} is ${state}`, WITHIN_MS)
  const starts = (name: string) =>
    service.logs.filter(({ msg, model }) => msg === 'child started' && model === name).length

  const reasons: Record<string, [code: string, message: RegExp]> = {
    unsupported: ['ERR_MODEL_UNSUPPORTED', /LSTM/],
    damaged: ['ERR_MODEL_LOAD', /group1-shard1of1\.bin/],
    labelled: ['ERR_MODEL_SETTINGS', /has 10 outputs, but labels\.txt has 3 labels/],
    missing: ['ERR_MODEL_LOAD', /there is nothing at .*pets\.h5/],
    unnamed: ['ERR_MODEL_LOAD', /There is no model "unnamed"/],
    mobilenet: ['ERR_MODEL_LOAD', /mobilenet_1_0_224_tf\.h5 is not .*: it has 19 bytes instead of 17225924/],
  }
  for (const [name, [code, message]] of Object.entries(reasons)) {
    it(`fails after one start, with one error that says why: ${name}`, async () => {
      const { restarts, error } = (await models())[name] as ModelState
      expect(restarts).to.equal(0)
      expect(error?.code).to.equal(code)
      expect(error?.message).to.match(message)
      expect(starts(name)).to.equal(1)
      const errors = service.logs.filter(({ level, model }) => Number(level) >= 50 && model === name)
      expect(errors.map(({ msg }) => msg)).to.deep.equal(['model failed to start'])
    })
  }

  it('is served, without a restart of the service, as soon as the files are right', async () => {
    cpSync(join(DIGITS, 'model.json'), join(folder, 'unsupported', 'model.json'))
    cpSync(join(DIGITS, 'group1-shard1of1.bin'), join(folder, 'damaged', 'group1-shard1of1.bin'))
    writeFileSync(join(folder, 'labels.txt'), Array.from({ length: 10 }, (_, i) => `number ${i}`).join('\n'))
    for (const name of ['unsupported', 'damaged', 'labelled']) await becomes(name, 'ready')
    expect((await models()).missing?.state).to.equal('failed')
    expect(starts('missing')).to.equal(1)
  })

  it('is served when a missing file is put into its place', async () => {
    cpSync(DIGITS, join(folder, 'unnamed'), { recursive: true })
    await becomes('unnamed', 'ready')
    mkdirSync(join(folder, 'elsewhere'))
    cpSync(join(DIGITS, 'model.json'), join(folder, 'elsewhere', 'pets.h5'))
    cpSync(join(DIGITS, 'group1-shard1of1.bin'), join(folder, 'elsewhere', 'group1-shard1of1.bin'))
    await becomes('missing', 'ready')
  })

  it('is downloaded once the user has removed a wrong weights file, which is not touched before', async () => {
    expect(readFileSync(join(folder, SHORT), 'utf8')).to.equal('an interrupted copy')
    expect(existsSync(join(folder, `${SHORT}.part`))).to.equal(false)
    rmSync(join(folder, SHORT))
    await until(
      async () => /could not be downloaded/.test((await models()).mobilenet?.progress?.word ?? ''),
      'the attempt of a download',
      WITHIN_MS,
    )
  })
})
