import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { StatusAnswer } from '../../../lib/routes/status.ts'
import { runCommand } from '../../support/command.ts'
import { one } from '../../support/pictures.ts'
import { allReady, type Service, startService, until } from '../../support/service.ts'
import { writeByFormula } from '../../support/small-mobilenet.ts'
import { smallNetwork } from '../../support/small-network.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const LONG_MS = 60_000
const NOBODY_LISTENS = 'http://127.0.0.1:9'

/** A convolution that is worth measuring, and one that is not. */
const LIST = smallNetwork(
  [32, 32, 3],
  [
    ['Conv2D', { filters: 32, kernel_size: 3, padding: 'same', activation: 'relu' }],
    ['Conv2D', { filters: 32, kernel_size: 3, padding: 'same', activation: 'relu' }],
    ['MaxPooling2D', {}],
    ['GlobalAveragePooling2D', {}],
    ['Dense', { units: 5, activation: 'softmax' }],
  ],
)
/** With the shape of the input where Keras writes it. */
const NETWORK = {
  ...LIST,
  layers: LIST.layers.map((layer, i) =>
    i === 0 ? { ...layer, config: { batch_shape: [null, ...LIST.inputShape] } } : layer,
  ),
}

describe('Tuning while the service is idle', () => {
  let folder = ''
  let model = ''
  let service: Service | undefined
  const images: Buffer[] = []

  before(async () => {
    folder = temporaryFolder()
    model = writeByFormula(join(folder, 'small'), NETWORK)
    for (let number = 0; number < 20; number++) images.push(await one(number))
  })
  afterEach(async () => {
    await service?.stop()
    service = undefined
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  const environment = () => ({
    MODELS: `small=${model}`,
    WEIGHTS_DIR: folder,
    DEVICE: 'cpu',
    CACHE_ENTRIES: '0',
    MAX_BATCH: '2',
    TUNING_MS: '1500',
  })
  async function start(others = ''): Promise<Service> {
    const env = environment()
    service = await startService({ ...env, MODELS: `${env.MODELS}${others}`, WEIGHTS_URL: NOBODY_LISTENS })
    await allReady(service, ['small'])
    return service
  }
  const has = ({ logs }: Service, msg: string | RegExp) =>
    logs.some((line) => (typeof msg === 'string' ? line.msg === msg : msg.test(line.msg)))
  const stateOf = async ({ url }: Service) => {
    const response = await fetch(`${url}/status`, { headers: { Accept: 'application/json' } })
    return StatusAnswer.parse(await response.json()).models[0]
  }

  /** Requests without a pause from four clients, until `isOver`. Returns what was answered. */
  async function load({ url }: Service, isOver: () => boolean): Promise<Map<string, number>> {
    const answers = new Map<string, number>()
    let next = 0
    const client = async () => {
      while (!isOver()) {
        const body = new Uint8Array(images[next++ % images.length] ?? Buffer.alloc(0))
        const response = await fetch(`${url}/small`, { method: 'POST', body })
        await response.arrayBuffer()
        const what = `${response.status} ${response.headers.get('x-model-version')}`
        answers.set(what, (answers.get(what) ?? 0) + 1)
      }
    }
    await Promise.all([client(), client(), client(), client()])
    return answers
  }

  it('waits for requests, but not for a model without weights; swaps the child between two batches, and no request fails', async () => {
    const running = await start(',vgg16')
    expect((await stateOf(running))?.tuning).to.deep.equal({ state: 'wanted', sentence: null, batches: [] })
    const end = performance.now() + 1_500
    await load(running, () => performance.now() > end)
    expect(has(running, 'tuning begins')).to.equal(false)
    const found = /times as fast as without|tuning has found nothing faster/
    await until(() => has(running, found), 'the end of the measurements', LONG_MS)
    const pid = (await stateOf(running))?.workers[0]?.pid
    let answered = 0
    const answers = await load(running, () => has(running, 'tuned model serves') && answered++ > 20)
    const statuses = [...answers.keys()].map((what) => what.slice(0, 4))
    expect(new Set(statuses)).to.deep.equal(new Set(['200 ']))
    const state = await stateOf(running)
    expect(state?.workers[0]?.pid).not.to.equal(pid)
    expect(state?.restarts).to.equal(0)
    expect(state?.tuning?.state).to.equal('done')
    expect(state?.tuning?.batches.map(({ size }) => size)).to.deep.equal([1, 2])
    const readiness = (await (await fetch(`${running.url}/readyz`)).json()) as {
      models: Record<string, { tuning: unknown }>
    }
    expect(readiness.models.small?.tuning).to.deep.equal(state?.tuning)
    const page = await (await fetch(`${running.url}/status`, { headers: { Accept: 'text/html' } })).text()
    expect(page).to.match(/Batches of images: 1 in [\d.]+ ms \([\d.]+\/s\), 2 in /)
  }).timeout(90_000)

  it('is done once: the next start finds what was measured', async () => {
    const running = await start()
    expect((await stateOf(running))?.tuning?.state).to.equal('done')
    expect(has(running, 'tuning begins')).to.equal(false)
    const { code, stdout } = await runCommand('inspect', [`small=${model}`, '--weights-dir', folder])
    expect(code).to.equal(0)
    expect(stdout).to.match(/^Batches of images, measured: 1 in [\d.]+ ms, 2 in [\d.]+ ms\.$/m)
  }).timeout(60_000)

  it('can be done ahead by npm run weights', async () => {
    const other = temporaryFolder()
    const env = { ...environment(), WEIGHTS_DIR: other }
    const { code, stdout, stderr } = await runCommand('weights', ['--tune'], env)
    expect({ code, stdout }, stderr).to.deep.include({ code: 0 })
    expect(stdout).to.match(/^small: .*(times as fast as without|nothing is faster)/)
    expect(stderr).to.contain('small: measuring batches')
    const again = await runCommand('weights', ['--tune'], env)
    expect(again.stdout).to.equal(stdout)
    expect(again.stderr).not.to.contain('measuring')
    rmSync(other, { recursive: true, force: true })
  }).timeout(60_000)
})
