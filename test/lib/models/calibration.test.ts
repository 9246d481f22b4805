import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { StatusAnswer } from '../../../lib/routes/status.ts'
import { png } from '../../support/classifier.ts'
import { runCommand } from '../../support/command.ts'
import { pictures } from '../../support/pictures-of-noise.ts'
import { allReady, type Service, startService, until } from '../../support/service.ts'
import { writeByFormula } from '../../support/small-mobilenet.ts'
import { smallNetwork, type Written } from '../../support/small-network.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const LONG_MS = 90_000
const SIDE = 48
const PICTURES = 70
const WARN = 40

const convolution = (filters: number): Written => [
  'Conv2D',
  { filters, kernel_size: 3, padding: 'same', activation: 'relu' },
]
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

  before(async function () {
    this.timeout(60_000)
    // Bytes are faster for a large convolution, and slower for two numbers of each pixel.
    const fast = writeByFormula(join(folder, 'fast'), network([convolution(64), convolution(96)]))
    const slow = writeByFormula(
      join(folder, 'slow'),
      network([['MaxPooling2D', { pool_size: 8 }], convolution(2)]),
    )
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
      PRECISION: 'auto',
      LOG_LEVEL: 'debug',
      PRECISION_AGREEMENT: '0.5',
    })
    await allReady(service)
    await until(() => lines('tuned model serves').length === 2, 'the tuning of both models', LONG_MS)
  })
  after(async () => {
    await service.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const lines = (msg: string | RegExp) =>
    service.logs.filter((line) => (typeof msg === 'string' ? line.msg === msg : msg.test(line.msg)))
  const stateOf = async (model: string) => {
    const response = await fetch(`${service.url}/status`, { headers: { Accept: 'application/json' } })
    return StatusAnswer.parse(await response.json()).models.find(({ name }) => name === model)
  }
  async function ask(model: string, at: number): Promise<string> {
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
    await until(
      async () => {
        answers.add(await ask('fast', 0))
        // A service that is never idle never calibrates.
        await new Promise((resolve) => setTimeout(resolve, 1_500))
        return lines('int8 model serves').length > 0
      },
      'the int8 model',
      LONG_MS,
    )
    for (const answer of await askFor('fast', upTo(10))) answers.add(answer)
    expect([...answers].map((answer) => answer.slice(0, 4))).to.deep.equal(['200 ', '200 '])
    const state = await stateOf('fast')
    expect(state).to.deep.include({ precision: 'int8', restarts: 0 })
    expect(state?.quantization).to.match(
      /^int8: the same best class as float32 for [\d.]+ % of 3\d pictures, /,
    )
  }).timeout(120_000)
})
