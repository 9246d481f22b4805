import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { openTfjs, type TfjsOptions } from '../../../pipeline/engines/tfjs/tfjs.ts'
import { openBackend } from '../../../pipeline/engines/tfjs/tfjs-backend.ts'
import { planLayers } from '../../../pipeline/graph/plan-layers.ts'
import type { WeightStore } from '../../../pipeline/graph/weight-store.ts'
import type { LayerList } from '../../../pipeline/models/networks/layer-list.ts'
import { mobilenet } from '../../../pipeline/models/networks/mobilenet.ts'
import { errorOf } from '../../support/broker.ts'
import { bytesOf, relativeError } from '../../support/compiled.ts'
import { golden, goldenJson } from '../../support/golden.ts'
import { topologyOf } from '../../support/keras-topology.ts'
import { describeWithShared, shared } from '../../support/shared.ts'
import { anyWeights, smallNetwork } from '../../support/small-network.ts'
import { type SyntheticLayer, smoothImage, tinyInput } from '../../support/synthetic.ts'
import { syntheticStore } from '../../support/synthetic-store.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const TOLERANCE = 1e-4
const GOLDEN_MODELS = [
  'minivgg',
  'mlp',
  'resnetish',
  'inceptionish',
  'mobilenetish',
  'mobilenetv2ish',
  'misc',
  'nested',
]
const FLOATS = { preprocessing: 'none', input: 'float32', threads: 1 } as const

describe('The engine tfjs with models made by Keras', () => {
  for (const model of GOLDEN_MODELS) {
    it(`gives the numbers of Keras: ${model}`, () => compareWithGolden(model))
  }

  it('gives them on another backend as well', async () => {
    const { tf } = await openBackend(1)
    await import('@tensorflow/tfjs-backend-cpu')
    await tf.setBackend('cpu')
    try {
      for (const model of GOLDEN_MODELS) await compareWithGolden(model, { backend: { tf, device: 'cpu' } })
    } finally {
      await tf.setBackend('wasm')
    }
  }).timeout(60_000)

  it('gives the numbers of Keras for a full network, from the bytes of an image: mobilenet', async () => {
    const { layers } = goldenJson<{ layers: SyntheticLayer[] }>('applications', 'mobilenet.weights.json')
    const expected = goldenJson<{ softmax: number[]; top5: { index: number }[] }>(
      'applications',
      'mobilenet.expected.json',
    )
    const weights = syntheticStore(layers)
    const scores = await answer(
      { layers: mobilenet(), weights, preprocessing: 'tf', input: 'uint8', threads: 1 },
      smoothImage(224, 224),
      1,
    )
    expect(relativeError(scores, expected.softmax)).to.be.below(TOLERANCE)
    expect(bestOf(scores, 5)).to.deep.equal(expected.top5.map(({ index }) => index))
  }).timeout(60_000)
})

describeWithShared('The engine tfjs with a trained model', () => {
  it('gives its best five', async () => {
    const { layers, weights } = trainedMobilenet()
    const { allZeroInput } = json<{ allZeroInput: { index: number; probability: number }[] }>(
      'data/mobilenet_v1_0.25_224/top5.json',
    )
    const scores = await answer({ layers, weights, ...FLOATS }, bytesOf(new Float32Array(224 * 224 * 3)), 1)
    expect(bestOf(scores, 5)).to.deep.equal(allZeroInput.map(({ index }) => index))
    const best = allZeroInput.map(({ index }) => scores[index] ?? 0)
    expect(
      relativeError(
        best,
        allZeroInput.map(({ probability }) => probability),
      ),
    ).to.be.below(TOLERANCE)
  }).timeout(60_000)
})

describe('The engine tfjs', () => {
  const layers = smallNetwork(
    [8, 6, 3],
    [
      ['Conv2D', { kernel_size: 3, filters: 4, activation: 'relu' }],
      ['BatchNormalization'],
      ['Dropout', { rate: 0.5 }],
      ['GlobalAveragePooling2D', { keepdims: true }],
      ['Multiply', {}, ['Dropout 3', 'GlobalAveragePooling2D 4']],
      ['Flatten'],
      ['Dense', { units: 5, activation: 'softmax' }],
    ],
  )
  const options = { layers, weights: anyWeights(layers), ...FLOATS }
  const each = 8 * 6 * 3

  it('answers any number of inputs, each with the same numbers as alone', async () => {
    const engine = await openTfjs(options)
    const pixels = bytesOf(tinyInput(3 * each))
    const together = await engine.run(pixels, 3)
    const second = await engine.run(pixels.subarray(4 * each, 8 * each), 1)
    await engine.close()
    expect([engine.inputShape, engine.outputSize]).to.deep.equal([[8, 6, 3], 5])
    expect(together.length).to.equal(15)
    expect(relativeError(together.subarray(5, 10), second)).to.be.below(1e-6)
  })

  it('keeps the weights, and nothing else, from one run to the next', async () => {
    const { tf } = await openBackend(1)
    const before = tf.memory().numTensors
    const engine = await openTfjs(options)
    const weights = tf.memory().numTensors
    for (let run = 0; run < 5; run++) await engine.run(bytesOf(tinyInput(each)), 1)
    expect(tf.memory().numTensors).to.equal(weights)
    expect(weights - before).to.equal(8)
    await engine.close()
    await engine.close()
    expect(tf.memory().numTensors).to.equal(before)
  })

  it('keeps nothing of a model whose weights cannot be read', async () => {
    const { tf } = await openBackend(1)
    const before = tf.memory().numTensors
    const short: WeightStore = {
      ...options.weights,
      read: async (layer, index) =>
        (await options.weights.read(layer, index)).subarray(layer.startsWith('Dense') ? 1 : 0),
    }
    const error = await errorOf(openTfjs({ ...options, weights: short }))
    expect(error.code).to.equal('ERR_MODEL_LOAD')
    expect(error.message).to.match(/Layer 'Dense 7' .* of shape \[96, 5\] came with 479 numbers/)
    expect(tf.memory().numTensors).to.equal(before)
  })

  for (const preprocessing of ['caffe', 'tf', 'torch', 'unit', 'none'] as const) {
    it(`gives the network the bytes after the preprocessing "${preprocessing}"`, async () => {
      const copy = smallNetwork([1, 1, 3], [['Flatten']])
      const weights = anyWeights(copy)
      const seen = await answer(
        { layers: copy, weights, preprocessing, input: 'uint8', threads: 1 },
        Uint8Array.of(0, 100, 255),
        1,
      )
      expect(relativeError(seen, PREPROCESSED[preprocessing])).to.be.below(1e-6)
    })
  }

  it('refuses preprocessing for colours when the input is grey', async () => {
    const error = await errorOf(openTfjs({ ...grey, preprocessing: 'caffe' }))
    expect(error.code).to.equal('ERR_MODEL_SETTINGS')
  })

  it('names a layer that it does not support', async () => {
    const lstm = smallNetwork([6, 4], [['LSTM', { units: 3 }]])
    const nothing: WeightStore = {
      arrays: () => [],
      read: async () => new Float32Array(),
      close: async () => {},
    }
    const error = await errorOf(openTfjs({ layers: lstm, weights: nothing, ...FLOATS }))
    expect(error.code).to.equal('ERR_MODEL_UNSUPPORTED')
    expect(error.message).to.include("'LSTM 1' (LSTM): Tandem does not have this class")
  })

  it('refuses a number of bytes that does not fit the inputs', async () => {
    const engine = await openTfjs(options)
    expect((await errorOf(engine.run(new Uint8Array(4 * each), 2))).code).to.equal('ERR_ENGINE')
    await engine.close()
  })
})

const greyLayers = smallNetwork([4, 4, 1], [['Flatten']])
const grey: TfjsOptions = { layers: greyLayers, weights: anyWeights(greyLayers), ...FLOATS }

const PREPROCESSED = {
  caffe: [255 - 103.939, 100 - 116.779, -123.68],
  tf: [-1, 100 / 127.5 - 1, 1],
  torch: [-0.485 / 0.229, (100 / 255 - 0.456) / 0.224, (1 - 0.406) / 0.225],
  unit: [0, 100 / 255, 1],
  none: [0, 100, 255],
}

async function compareWithGolden(model: string, more: Partial<TfjsOptions> = {}): Promise<void> {
  const { input, output, weights } = goldenJson<{
    input: { shape: number[] }
    output: { values: number[][] }
    weights: SyntheticLayer[]
  }>('formats', model, 'expected.json')
  const layers = topologyOf(golden('formats', model, 'topology.keras2.json'))
  const pixels = bytesOf(tinyInput(input.shape.reduce((a, b) => a * b)))
  const found = await answer({ layers, weights: syntheticStore(weights), ...FLOATS, ...more }, pixels, 2)
  const size = found.length / output.values.length
  for (const [row, expected] of output.values.entries()) {
    expect(relativeError(found.subarray(row * size, (row + 1) * size), expected)).to.be.below(TOLERANCE)
  }
}

async function answer(options: TfjsOptions, pixels: Uint8Array, n: number): Promise<Float32Array> {
  const engine = await openTfjs(options)
  try {
    return await engine.run(pixels, n)
  } finally {
    await engine.close()
  }
}

/** Read in the plainest way: all of its arrays are float32, in files that no array crosses. */
function trainedMobilenet(): { layers: LayerList; weights: WeightStore } {
  const folder = 'data/mobilenet_v1_0.25_224'
  const { modelTopology, weightsManifest } = json<{
    modelTopology: { model_config: unknown }
    weightsManifest: { paths: [string]; weights: { name: string; shape: number[] }[] }[]
  }>(folder, 'model.json')
  const layers = topologyFrom(modelTopology.model_config)
  const arrays = new Map<string, { name: string; shape: number[]; values: Float32Array }>()
  for (const { paths, weights } of weightsManifest) {
    const values = new Float32Array(Uint8Array.from(readFileSync(shared(folder, ...paths))).buffer)
    let at = 0
    for (const { name, shape } of weights) {
      const length = shape.reduce((a, b) => a * b)
      arrays.set(name, { name, shape, values: values.subarray(at, at + length) })
      at += length
    }
  }
  const plans = planLayers(layers)
  const arraysOf = (name: string) =>
    (plans.get(name)?.arrays ?? []).flatMap(({ role }) => arrays.get(`${name}/${role}`) ?? [])
  return {
    layers,
    weights: {
      arrays: arraysOf,
      read: async (layer, index) => arraysOf(layer)[index]?.values ?? new Float32Array(),
      close: async () => undefined,
    },
  }
}

function topologyFrom(config: unknown): LayerList {
  const folder = temporaryFolder()
  const path = join(folder, 'topology.json')
  writeFileSync(path, JSON.stringify(config))
  const layers = topologyOf(path)
  rmSync(folder, { recursive: true })
  return layers
}

function json<T>(...path: string[]): T {
  return JSON.parse(readFileSync(shared(...path), 'utf8')) as T
}

function bestOf(scores: Float32Array, count: number): number[] {
  return [...scores.keys()].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0)).slice(0, count)
}
