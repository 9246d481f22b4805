import { readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { openExposedGraph } from '../../../pipeline/engines/onnx/exposed-graph.ts'
import { openOnnx } from '../../../pipeline/engines/onnx/onnx.ts'
import { decodeModel } from '../../../pipeline/graph/onnx-schema.ts'
import type { Preprocessing } from '../../../pipeline/graph/preprocessing.ts'
import { modelIn, writeModel } from '../../../pipeline/graph/write-model.ts'
import { AgreementMeter } from '../../../pipeline/quantize/agreement.ts'
import { Calibration, withOutputs } from '../../../pipeline/quantize/calibrate.ts'
import { emitBytes } from '../../../pipeline/quantize/emit.ts'
import { openFloatGraph } from '../../../pipeline/quantize/float-graph.ts'
import { makeRecipe, withFloats } from '../../../pipeline/quantize/make-recipe.ts'
import { networkOf } from '../../../pipeline/quantize/network.ts'
import type { Method } from '../../../pipeline/quantize/recipe.ts'
import { withCompiled } from '../../support/compiled.ts'
import { pictures } from '../../support/pictures-of-noise.ts'
import { anyWeights, smallNetwork, type Written } from '../../support/small-network.ts'

const SIZE = [24, 24, 3] as const
const same = { padding: 'same', use_bias: true }
const END: readonly Written[] = [['GlobalAveragePooling2D'], ['Dense', { units: 8 }]]

const NETWORKS: Readonly<Record<string, readonly Written[]>> = {
  'convolutions and poolings': [
    ['Conv2D', { filters: 8, kernel_size: 3, activation: 'relu', ...same }],
    ['Conv2D', { filters: 12, kernel_size: 3, activation: 'relu', ...same }],
    ['MaxPooling2D'],
    ['Conv2D', { filters: 12, kernel_size: 3, activation: 'relu' }],
    ['Flatten'],
    ['Dense', { units: 20, activation: 'relu' }],
    ['Dense', { units: 8 }],
  ],
  'depthwise convolutions with normalizations and relu6': [
    ['Conv2D', { filters: 8, kernel_size: 3, strides: 2, ...same, use_bias: false }],
    ['BatchNormalization'],
    ['ReLU', { max_value: 6 }],
    ['DepthwiseConv2D', { kernel_size: 3, ...same, use_bias: false }],
    ['BatchNormalization'],
    ['ReLU', { max_value: 6 }],
    ['Conv2D', { filters: 16, kernel_size: 1, ...same }],
    ['ReLU', { max_value: 6 }],
    ['DepthwiseConv2D', { kernel_size: 3, strides: 2, depth_multiplier: 2, ...same }],
    ['ReLU', { max_value: 6 }],
    ...END,
  ],
  'sums of two ways': [
    ['Conv2D', { filters: 8, kernel_size: 3, activation: 'relu', ...same }],
    ['Conv2D', { filters: 8, kernel_size: 3, activation: 'relu', ...same }],
    ['Conv2D', { filters: 8, kernel_size: 3, ...same }],
    ['Add', {}, ['Conv2D 1', 'Conv2D 3']],
    ['ReLU'],
    ['Conv2D', { filters: 8, kernel_size: 1, activation: 'relu', ...same }],
    ...END,
  ],
  'ways side by side, with an average before a pointwise convolution': [
    ['Conv2D', { filters: 8, kernel_size: 3, activation: 'relu', ...same }],
    ['Conv2D', { filters: 4, kernel_size: 1, activation: 'relu', ...same }, ['Conv2D 1']],
    ['AveragePooling2D', { pool_size: 3, strides: 1, padding: 'same' }, ['Conv2D 1']],
    ['Conv2D', { filters: 6, kernel_size: 1, activation: 'relu', ...same }],
    ['Concatenate', {}, ['Conv2D 2', 'Conv2D 4']],
    ['Conv2D', { filters: 8, kernel_size: 3, activation: 'relu', ...same }],
    ['Concatenate', {}, ['Concatenate 5', 'Conv2D 6']],
    ['Conv2D', { filters: 8, kernel_size: 3, activation: 'relu', ...same }],
    ...END,
  ],
  'functions that stay float': [
    ['Conv2D', { filters: 8, kernel_size: 3, activation: 'swish', ...same }],
    ['Conv2D', { filters: 8, kernel_size: 3, activation: 'relu', ...same }],
    ['UpSampling2D'],
    ['Conv2D', { filters: 8, kernel_size: 3, activation: 'sigmoid', ...same }],
    ...END,
  ],
  'groups of channels': [
    ['Conv2D', { filters: 8, kernel_size: 3, activation: 'relu', ...same }],
    ['Conv2D', { filters: 8, kernel_size: 3, groups: 2, activation: 'relu', ...same }],
    ['Conv2D', { filters: 8, kernel_size: 3, groups: 4, activation: 'relu', ...same }],
    ...END,
  ],
}

interface Outcome {
  readonly decibels: number
  readonly operators: readonly string[]
}

interface Choice {
  readonly preprocessing?: Preprocessing
  readonly method?: Method
  readonly most?: 127 | 63
  readonly only?: 'matrix'
  /** Kinds of units that stay float. */
  readonly floats?: readonly string[]
}

/** Quantizes with some pictures and compares the answers to others. */
function outcome(layers: readonly Written[], choice: Choice = {}): Promise<Outcome> {
  const { preprocessing = 'tf', method = 'squares', most = 127, only, floats = [] } = choice
  const list = smallNetwork(SIZE, layers)
  return withCompiled(list, anyWeights(list), { preprocessing, input: 'uint8' }, async (modelPath) => {
    const graph = await openFloatGraph(modelPath)
    const network = networkOf(graph)
    const its = pictures(24, SIZE)
    const calibration = await Calibration.open(network, modelPath, 1)
    for (let at = 0; at < 12; at++) await calibration.add(await its.read(at))
    await calibration.close()
    const recipe = await makeRecipe(network, calibration, { method, most })
    const kept = network.units.filter(({ kind }) => floats.includes(kind)).map(({ output }) => output)
    const folder = join(dirname(modelPath), 'bytes')
    await mkdir(folder)
    await writeModel(folder, (dataFile, write) =>
      emitBytes(network, withFloats(recipe, kept), { dataFile, ...(only && { only }) }, write),
    )
    const model = withOutputs(network.graph, [])
    const float = await openExposedGraph({ model, folder: dirname(modelPath), threads: 1, prepack: false })
    const options = { device: 'cpu', threads: 1, spin: false, prepack: true } as const
    const bytes = await openOnnx({ modelPath: modelIn(folder).modelPath, ...options })
    try {
      const meter = new AgreementMeter()
      for (let at = 12; at < 24; at++) {
        const pixels = await its.read(at)
        const answer = (await float.run(pixels)).get('output')?.numbers
        meter.add(answer ?? new Float32Array(), await bytes.run(pixels, 1))
      }
      const { node } = decodeModel(readFileSync(modelIn(folder).modelPath)).graph
      return { decibels: meter.get().decibels, operators: node.map(({ opType }) => opType) }
    } finally {
      await float.close()
      await bytes.close()
      await graph.close()
    }
  })
}

const count = ({ operators }: Outcome, op: string): number => operators.filter((its) => its === op).length

describe('a network of bytes', () => {
  for (const [what, layers] of Object.entries(NETWORKS)) {
    it(`answers nearly as the float network does: ${what}`, async () => {
      expect((await outcome(layers)).decibels).to.be.greaterThan(25)
    })
  }

  it('has no convolution, sum, pooling or matrix of floats left', async () => {
    const poolings = await outcome(NETWORKS['convolutions and poolings'] ?? [])
    expect(count(poolings, 'QLinearConv')).to.equal(3)
    expect(count(poolings, 'QGemm')).to.equal(2)
    // The image goes in as it is, and the answer of the last matrix is a float already.
    expect(poolings.operators).not.to.include.members(['QuantizeLinear'])
    const sums = await outcome(NETWORKS['sums of two ways'] ?? [])
    expect(count(sums, 'QLinearAdd')).to.equal(1)
    for (const { operators } of [poolings, sums]) {
      for (const op of ['Conv', 'Gemm', 'Relu', 'Clip', 'Add', 'Cast']) expect(operators).not.to.include(op)
    }
  })

  it('joins ways of the same scale by moving bytes, and others with a change of scale', async () => {
    const joined = await outcome(
      NETWORKS['ways side by side, with an average before a pointwise convolution'] ?? [],
    )
    expect(count(joined, 'Concat') + count(joined, 'QLinearConcat')).to.equal(2)
    expect(count(joined, 'QLinearConcat')).to.equal(1)
    // The convolution stands before the average.
    expect(joined.operators.indexOf('QLinearAveragePool')).to.be.greaterThan(
      joined.operators.indexOf('QLinearConv') + 1,
    )
  })

  for (const preprocessing of ['caffe', 'torch', 'unit', 'none'] as const) {
    it(`takes images with the preprocessing ${preprocessing}`, async () => {
      const layers = NETWORKS['convolutions and poolings'] ?? []
      expect((await outcome(layers, { preprocessing })).decibels).to.be.greaterThan(18)
    })
  }

  it('is better than with ranges from end to end', async () => {
    const layers = NETWORKS['sums of two ways'] ?? []
    const [squares, minmax] = [await outcome(layers), await outcome(layers, { method: 'minmax' })]
    expect(squares.decibels).to.be.greaterThan(minmax.decibels + 3)
  })

  it('may have weights of 7 bits', async () => {
    expect((await outcome(NETWORKS['sums of two ways'] ?? [], { most: 63 })).decibels).to.be.greaterThan(20)
  })

  it('may keep some layers as floats, or all', async () => {
    const layers = NETWORKS['depthwise convolutions with normalizations and relu6'] ?? []
    const all = await outcome(layers, { floats: ['conv', 'matrix', 'add'] })
    expect(all.decibels).to.be.greaterThan(90)
    expect(all.operators).not.to.include('QLinearConv')
    const matrix = await outcome(layers, { floats: ['matrix'] })
    expect(count(matrix, 'Gemm')).to.equal(1)
  })

  it('may have dense layers alone as bytes', async () => {
    const dense = await outcome(NETWORKS['convolutions and poolings'] ?? [], { only: 'matrix' })
    expect([count(dense, 'QGemm'), count(dense, 'Conv'), count(dense, 'QLinearConv')]).to.deep.equal([
      2, 3, 0,
    ])
    expect(dense.decibels).to.be.greaterThan(30)
  })
})
