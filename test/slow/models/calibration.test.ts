import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { constants, getPriority } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { StatusAnswer } from '../../../lib/routes/status.ts'
import { findAndFetch } from '../../../pipeline/found-model.ts'
import { tune } from '../../../pipeline/tuning/tune.ts'
import { png } from '../../support/classifier.ts'
import { pictures } from '../../support/pictures-of-noise.ts'
import { allReady, type Service, startService, until } from '../../support/service.ts'
import { writeByFormula } from '../../support/small-mobilenet.ts'
import { smallNetwork, type Written } from '../../support/small-network.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const LONG_MS = 90_000
const SIDE = 32
const PICTURES = 70
const WARN = 40

const convolution = (filters: number): Written => [
  'Conv2D',
  { filters, kernel_size: 3, padding: 'same', activation: 'relu' },
]
/** Bytes come and go around each of these, since the activation is computed with floats. */
const BENT: Written = ['Conv2D', { filters: 2, kernel_size: 1, activation: 'tanh' }]
const END: readonly Written[] = [
  ['GlobalAveragePooling2D', {}],
  ['Dense', { units: 5, activation: 'softmax' }],
]

/** A network with the shape of the input where Keras writes it. */
function network(written: readonly Written[]) {
  const list = smallNetwork([SIDE, SIDE, 3], [...written, ...END])
  const [input, ...layers] = list.layers
  const config = { batch_shape: [null, ...list.inputShape] }
  return { ...list, layers: [...(input ? [{ ...input, config }] : []), ...layers] }
}

describe('PRECISION=auto without pictures', () => {
  const folder = temporaryFolder()
  const bodies: Uint8Array[] = []
  let service: Service
  // Of the model `fast`.
  let asked = 0

  before(async function () {
    this.timeout(60_000)
    // Bytes are faster for a large convolution, and slower for few numbers between floats.
    const fast = writeByFormula(join(folder, 'fast'), network([convolution(128), convolution(64)]))
    const slow = writeByFormula(join(folder, 'slow'), network(Array(6).fill(BENT)))
    for (const path of [fast, slow]) await tuned(path)
    const { read } = pictures(PICTURES, [SIDE, SIDE, 3])
    for (let at = 0; at < PICTURES; at++) bodies.push(await png(await read(at), SIDE, SIDE))
    service = await startService({
      MODELS: `fast=${fast},slow=${slow}`,
      WEIGHTS_DIR: folder,
      DEVICE: 'cpu',
      CACHE_ENTRIES: '0',
      SPARE_CHILDREN: '0',
      TUNING_MS: '1',
      WINOGRAD: 'off',
      THREADS: '1',
      MAX_BATCH: '1',
      PRECISION: 'auto',
      LOG_LEVEL: 'debug',
      PRECISION_AGREEMENT: '0.5',
    })
    await allReady(service)
  })
  after(async () => {
    await service.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  /** So that the service has nothing else to do. */
  async function tuned(path: string): Promise<void> {
    const found = await findAndFetch({ model: 'model', path, weightsDir: folder }, () => undefined)
    const request = {
      weightsDir: folder,
      threads: 1,
      spin: true,
      maxBatch: 1,
      winograd: 'off',
      tuningMs: 1,
    } as const
    const steps = tune(found, request)
    while (!(await steps.next(false)).done);
  }
  const lines = (msg: string | RegExp) =>
    service.logs.filter((line) => (typeof msg === 'string' ? line.msg === msg : msg.test(line.msg)))
  const stateOf = async (model: string) => {
    const response = await fetch(`${service.url}/status`, { headers: { Accept: 'application/json' } })
    return StatusAnswer.parse(await response.json()).models.find(({ name }) => name === model)
  }
  async function ask(model: string, at: number): Promise<string> {
    if (model === 'fast') asked++
    const body = bodies[at % PICTURES] as Uint8Array<ArrayBuffer>
    const response = await fetch(`${service.url}/${model}`, { method: 'POST', body })
    await response.arrayBuffer()
    return `${response.status} ${response.headers.get('x-model-version')}`
  }
  async function askFor(model: string, numbers: readonly number[]): Promise<Set<string>> {
    const answers = new Set<string>()
    for (const at of numbers) answers.add(await ask(model, at))
    return answers
  }
  const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

  it('serves floats, and says what int8 waits for', async () => {
    const waiting = 'float32 until 64 different pictures of requests have calibrated int8'
    const state = await stateOf('fast')
    expect(state).to.deep.include({ precision: 'fp32', quantization: waiting })
    expect(lines(waiting)).not.to.have.length(0)
  })

  it('does not begin with the same few pictures, however often a client sends them', async () => {
    await askFor(
      'fast',
      upTo(100).map((at) => at % 10),
    )
    const waits = 'calibration waits for other pictures'
    await until(() => lines(waits).length > 0, 'a look at the sample', LONG_MS)
    expect(lines(waits)[0]).to.deep.include({ model: 'fast', pictures: 10, wanted: 64 })
    expect(lines('calibration begins')).to.deep.equal([])
  }).timeout(30_000)

  it('calibrates int8 with pictures of requests, and swaps the child with no failed request', async () => {
    const answers = await askFor('fast', upTo(PICTURES))
    await until(() => lines('calibration begins').length > 0, 'the calibration', LONG_MS)
    await until(
      () => childrenOf(service.pid).some((pid) => priorityOf(pid) === constants.priority.PRIORITY_LOW),
      'a child of the lowest priority',
      LONG_MS,
    )
    answers.add(await ask('fast', 0))
    await until(() => lines('calibration ends').length > 0, 'the end of the calibration', LONG_MS)
    while (lines('int8 model serves').length === 0) answers.add(await ask('fast', 1))
    for (const answer of await askFor('fast', upTo(10))) answers.add(answer)
    // One version of floats and one of bytes.
    expect([...answers].map((answer) => answer.slice(0, 4))).to.deep.equal(['200 ', '200 '])
    const state = await stateOf('fast')
    expect(state).to.deep.include({ precision: 'int8', restarts: 0, warnings: [] })
    expect(state?.quantization).to.match(
      /^int8: the same best class as float32 for [\d.]+ % of 3\d pictures, /,
    )
  }).timeout(120_000)

  it('counts predictions alone, and not what the service asks for itself', async () => {
    const metrics = await (await fetch(`${service.url}/metrics`)).text()
    expect(metrics).to.match(new RegExp(`^tandem_calls_total{model="fast",outcome="result"} ${asked}$`, 'm'))
  })

  it('keeps no picture in a file', async () => {
    const { read } = pictures(PICTURES, [SIDE, SIDE, 3])
    // Enough to know a picture by; every picture may be one of the sample.
    const starts = await Promise.all(upTo(PICTURES).map(async (at) => (await read(at)).subarray(0, 100)))
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) =>
      file.isFile(),
    )
    expect(files.map(({ name }) => name)).to.include('scales.json')
    for (const { parentPath, name } of files) {
      const bytes = readFileSync(join(parentPath, name))
      expect(
        [...starts, ...bodies].some((one) => bytes.includes(Buffer.from(one))),
        name,
      ).to.equal(false)
    }
  })

  it('stays with floats and warns once where int8 is not faster, and does not try again', async () => {
    const [version] = await askFor('slow', upTo(PICTURES))
    await until(() => lines('calibration ends').length === 2, 'the end of the calibration', LONG_MS)
    const refused = /^The model stays float32: int8 has .* pictures of requests .*Remove .*-refused.json to /
    await until(() => lines(refused).length > 0, 'the warning')
    expect(lines(refused)).to.have.length(1)
    expect(lines(refused)[0]).to.deep.include({ level: WARN, model: 'slow' })
    const state = await stateOf('slow')
    expect(state).to.deep.include({ precision: 'fp32', quantization: null, restarts: 0 })
    expect(state?.warnings).to.deep.equal([lines(refused)[0]?.msg])
    expect([...(await askFor('slow', upTo(PICTURES)))]).to.deep.equal([version])
    expect(lines('calibration begins')).to.have.length(2)
  }).timeout(120_000)
})

function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return children.split(' ').filter(Boolean).map(Number)
}

/** Undefined for a process that has ended. */
function priorityOf(pid: number): number | undefined {
  try {
    return getPriority(pid)
  } catch {
    return undefined
  }
}
