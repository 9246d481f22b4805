import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { compilerOf } from '../../pipeline/compile-found.ts'
import { openOnnx } from '../../pipeline/engines/onnx/onnx.ts'
import { save } from '../../pipeline/engines/onnx/saved-graph.ts'
import { samplePixels } from '../../pipeline/engines/sample-pixels.ts'
import type { FoundModel } from '../../pipeline/found-model.ts'
import { compiledModel } from '../../pipeline/graph/compiled-cache.ts'
import { publishWhole } from '../../pipeline/graph/whole-folder.ts'
import { formName, type WinogradForm } from '../../pipeline/graph/winograd/form.ts'
import type { LayerList } from '../../pipeline/models/networks/layer-list.ts'
import { candidateForms, isWorthMeasuring } from '../../pipeline/tuning/candidates.ts'
import { measureBatches } from '../../pipeline/tuning/measure-batches.ts'
import { eligibleLayers, isExact, timeOf } from '../../pipeline/tuning/measure-layers.ts'
import { openTuned } from '../../pipeline/tuning/open-tuned.ts'
import { type TuneRequest, type TuneStep, tune } from '../../pipeline/tuning/tune.ts'
import { readTuned, type Tuned, tuningFolder, tuningSentence } from '../../pipeline/tuning/tuning.ts'
import { relativeError } from '../support/compiled.ts'
import { anyWeights, smallNetwork } from '../support/small-network.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** Two convolutions of the same sizes that are worth measuring, and one that is not. */
const NETWORK = smallNetwork(
  [40, 40, 3],
  [
    ['Conv2D', { filters: 32, kernel_size: 3, padding: 'same', activation: 'relu' }],
    ['Conv2D', { filters: 32, kernel_size: 3, padding: 'same', activation: 'relu' }],
    ['Conv2D', { filters: 32, kernel_size: 3, padding: 'same', activation: 'relu' }],
    ['MaxPooling2D'],
    ['GlobalAveragePooling2D'],
    ['Dense', { units: 7, activation: 'softmax' }],
  ],
)
/** The id of no process. */
const DEAD = 2 ** 30
const SESSION = { threads: 1, spin: false, device: 'cpu' } as const

function foundModel(list: LayerList = NETWORK): FoundModel {
  return {
    path: 'small.h5',
    settings: {},
    areLabelsNoted: false,
    size: [40, 40],
    preprocessing: 'unit',
    key: 'small',
    isOnnx: false,
    open: async () => ({
      layers: list,
      anySize: false,
      weights: anyWeights(list),
      close: async () => undefined,
    }),
  }
}

async function toTheEnd(steps: AsyncGenerator<TuneStep, Tuned, boolean>, disturbed = false) {
  const words: string[] = []
  for (;;) {
    const next = await steps.next(disturbed)
    if (next.done) return { tuned: next.value, words }
    words.push(next.value.word)
  }
}

describe('Tuning', () => {
  let weightsDir = ''
  const request = (more: Partial<TuneRequest> = {}): TuneRequest => ({
    weightsDir,
    threads: 1,
    spin: false,
    maxBatch: 4,
    winograd: 'auto',
    tuningMs: 3_000,
    ...more,
  })

  beforeEach(() => {
    weightsDir = temporaryFolder()
    mkdirSync(join(weightsDir, 'compiled'))
  })
  afterEach(() => rmSync(weightsDir, { recursive: true, force: true }))

  const compiled = () =>
    compiledModel({
      cacheDir: join(weightsDir, 'compiled'),
      key: 'small',
      compile: compilerOf(foundModel(), () => undefined),
    })

  it('measures convolutions alone and the whole model, and keeps what it finds', async () => {
    const { tuned, words } = await toTheEnd(tune(foundModel(), request()))
    expect(words).to.include('measuring Conv2D 2').and.to.include('measuring batches')
    // The first convolution has three channels.
    expect(words).not.to.include('measuring Conv2D 1')
    const { tuning, folder } = tuned
    expect(tuning.convolutions).to.equal(3)
    expect(tuning.ms).to.be.above(0).and.to.be.at.most(tuning.directMs)
    expect(tuning.batches.map(({ size }) => size)).to.deep.equal([1, 2, 4])
    const { modelPath } = await compiled()
    expect(folder).to.equal(tuningFolder({ modelPath, threads: 1, winograd: 'auto' }))
    expect(existsSync(join(folder, 'model.onnx'))).to.equal(tuning.layers.length > 0)
    // Nothing unfinished is left.
    expect(readdirSync(join(weightsDir, 'compiled'))).to.have.length(1)
    const again = await toTheEnd(tune(foundModel(), request()))
    expect(again).to.deep.equal({ tuned, words: [] })
  }).timeout(60_000)

  it('measures only batches without Winograd', async () => {
    const { tuned, words } = await toTheEnd(tune(foundModel(), request({ winograd: 'off', maxBatch: 3 })))
    expect(tuned.tuning.layers).to.deep.equal([])
    expect(tuned.modelPath).to.equal(undefined)
    expect(words.filter((word) => word.startsWith('measuring Conv'))).to.deep.equal([])
    expect(tuned.tuning.batches.map(({ size }) => size)).to.deep.equal([1, 2, 3])
  }).timeout(30_000)

  it('repeats a measurement that other work has disturbed, three times at the most', async () => {
    const count = ({ words }: { words: string[] }, word: string) => words.filter((its) => its === word).length
    const quiet = await toTheEnd(tune(foundModel(), request({ winograd: 'off' })))
    rmSync(join(weightsDir, 'compiled'), { recursive: true })
    mkdirSync(join(weightsDir, 'compiled'))
    const busy = await toTheEnd(tune(foundModel(), request({ winograd: 'off' })), true)
    expect(count(quiet, 'measuring the direct graph')).to.equal(1)
    expect(count(busy, 'measuring the direct graph')).to.equal(3)
  }).timeout(30_000)

  it('ends with the direct graph if there is no time', async () => {
    const { tuned, words } = await toTheEnd(tune(foundModel(), request({ tuningMs: 0 })))
    expect(tuned.tuning.layers).to.deep.equal([])
    expect(tuned.tuning.batches.map(({ size }) => size)).to.deep.equal([1])
    expect(words).not.to.include('measuring Conv2D 2')
  }).timeout(30_000)

  it('removes what a tuning has left that was interrupted', async () => {
    const host = hostname()
      .replace(/[^\w-]/g, '-')
      .slice(0, 64)
    const leftOver = join(weightsDir, 'compiled', `${'a'.repeat(32)}-v1.${host}.${DEAD}.x.part`)
    mkdirSync(leftOver)
    writeFileSync(join(leftOver, 'model.data'), 'x')
    await toTheEnd(tune(foundModel(), request({ winograd: 'off' })))
    expect(existsSync(leftOver)).to.equal(false)
  }).timeout(60_000)

  it('is not found on another number of threads, or if a file is damaged', async () => {
    await toTheEnd(tune(foundModel(), request({ winograd: 'off' })))
    const { modelPath } = await compiled()
    const key = { modelPath, threads: 1, winograd: 'off' } as const
    expect(await readTuned(key)).not.to.equal(undefined)
    expect(await readTuned({ ...key, threads: 2 })).to.equal(undefined)
    expect(await readTuned({ ...key, winograd: 'auto' })).to.equal(undefined)
    const file = join(tuningFolder(key), 'tuning.json')
    const whole = JSON.parse(readFileSync(file, 'utf8'))
    for (const damaged of [
      '{',
      'null',
      JSON.stringify({ ...whole, ms: null }),
      JSON.stringify({ ...whole, layers: [{ name: 'a', form: 'unknown', directMs: 1, ms: 1 }] }),
      JSON.stringify({ ...whole, batches: [{ size: 1 }] }),
    ]) {
      writeFileSync(file, damaged)
      expect(await readTuned(key), damaged).to.equal(undefined)
    }
  }).timeout(30_000)

  it('measures layers alone, and compares their numbers with the weights of the layer', async () => {
    const { eligible, convolutions } = eligibleLayers(NETWORK)
    expect(convolutions).to.equal(3)
    expect(eligible.map(({ layer, pool }) => [layer.name, pool?.name])).to.deep.equal([
      ['Conv2D 2', undefined],
      ['Conv2D 3', 'MaxPooling2D 4'],
    ])
    const form: WinogradForm = { input: 'gather', product: 'batch', strips: 1 }
    const weights = anyWeights(NETWORK)
    for (const alone of eligible) {
      const measuring = { weights, threads: 1, spin: false }
      expect(await timeOf(alone, form, Number.POSITIVE_INFINITY, measuring)).to.be.within(0.001, 10_000)
      expect(await isExact(alone, form, measuring)).to.equal(true)
      const read = async (layer: string, index: number) =>
        (await weights.read(layer, index)).map((value, i) => (i === 5 ? Number.NaN : value))
      expect(await isExact(alone, form, { ...measuring, weights: { ...weights, read } })).to.equal(false)
    }
  }).timeout(30_000)

  it('tries forms that suit the size of a layer', () => {
    const names = (height: number, channels: number, filters: number) =>
      candidateForms({ height, width: height, channels, filters }).map(formName)
    expect(names(224, 64, 64)).to.deep.equal([
      'convolution-images-14',
      'convolution-images-7',
      'convolution-images-1',
      'convolution-batch-14',
      'convolution-batch-7',
      'convolution-batch-1',
    ])
    expect(names(28, 512, 512))
      .to.include('gather-groups-1')
      .and.to.include('convolution-batch-1')
    const shape = { height: 14, width: 14, channels: 512, filters: 512 }
    expect(isWorthMeasuring(shape)).to.equal(true)
    expect(isWorthMeasuring({ ...shape, channels: 3 })).to.equal(false)
    expect(isWorthMeasuring({ ...shape, channels: 32, filters: 32, height: 8, width: 8 })).to.equal(false)
  })

  it('measures batches of 1, 2, 4 and so on up to the largest, as far as there is time', async () => {
    const { modelPath } = await compiled()
    const engine = await openOnnx({ ...SESSION, modelPath })
    const sizes = async (maxBatch: number, ms: number) =>
      (await measureBatches(engine, maxBatch, ms)).map(({ size }) => size)
    expect(await sizes(1, 60_000)).to.deep.equal([1])
    expect(await sizes(6, 60_000)).to.deep.equal([1, 2, 4, 6])
    expect(await sizes(8, 0)).to.deep.equal([1])
    // The time of one image that an earlier measurement has found, if that was shorter.
    expect((await measureBatches(engine, 1, 0, 1e-9))[0]?.ms).to.equal(1e-9)
    await engine.close()
  })

  it('opens the tuned graph, and the direct one with WINOGRAD=off or if the tuned graph is damaged', async () => {
    const { modelPath } = await compiled()
    const folder = tuningFolder({ modelPath, threads: 1, winograd: 'auto' })
    const temporary = join(weightsDir, 'temporary')
    mkdirSync(temporary)
    await save(modelPath, temporary)
    const layer = { name: 'Conv2D 2', form: 'gather-batch-1', directMs: 2, ms: 1 }
    const tuning = { convolutions: 3, layers: [layer], directMs: 2, ms: 1, difference: 0, batches: [] }
    writeFileSync(join(temporary, 'tuning.json'), JSON.stringify(tuning))
    await publishWhole(temporary, folder)
    const opened = async (winograd: 'auto' | 'off') => {
      const { engine, tuning, warning } = await openTuned({ ...SESSION, modelPath }, winograd)
      const pixels = samplePixels(engine, 1)
      const numbers = [...(await engine.run(pixels, 1))]
      await engine.close()
      return { numbers, tuning, warning }
    }
    const direct = await opened('off')
    expect(direct).to.deep.include({ tuning: undefined, warning: undefined })
    expect(await opened('auto')).to.deep.equal({ ...direct, tuning })
    const graph = join(folder, 'model.onnx')
    writeFileSync(graph, Buffer.alloc(readFileSync(graph).length, 255))
    expect(await opened('auto')).to.deep.equal(direct)
    expect(existsSync(folder)).to.equal(false)
  }).timeout(30_000)

  it('has a sentence for the log', () => {
    const layer = { name: 'a', form: 'gather-batch-1', directMs: 2, ms: 1 }
    const tuning = {
      convolutions: 13,
      layers: [layer, layer],
      directMs: 171,
      ms: 100,
      difference: 0,
      batches: [],
    }
    expect(tuningSentence(tuning)).to.equal(
      "2 of 13 convolutions by Winograd's way, 1.71 times as fast as without by a measurement on this machine",
    )
    expect(tuningSentence({ ...tuning, layers: [] })).to.equal(undefined)
  })

  it('keeps a graph that gives the numbers of the direct one', async () => {
    const { tuned } = await toTheEnd(tune(foundModel(), request()))
    const { modelPath } = await compiled()
    const direct = await openOnnx({ ...SESSION, modelPath })
    const engine = await openOnnx({
      ...SESSION,
      modelPath: tuned.modelPath ?? modelPath,
      saved: tuned.modelPath !== undefined,
    })
    const pixels = samplePixels(direct, 3)
    const expected = (await direct.run(pixels, 3)).slice()
    expect(relativeError(await engine.run(pixels, 3), expected)).to.be.below(1e-4)
    await engine.close()
    await direct.close()
    expect(dirname(modelPath)).to.equal(dirname(tuned.folder))
  }).timeout(60_000)
})
