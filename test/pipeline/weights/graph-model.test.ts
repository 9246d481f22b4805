import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { inferShapes } from '../../../pipeline/graph/shapes.ts'
import { openModel, peekModel } from '../../../pipeline/weights/open-model.ts'
import { codeOf, errorOf } from '../../support/broker.ts'
import { madeClassifier, png, probabilities } from '../../support/classifier.ts'
import { bytesOf, relativeError, withCompiled, withEngine } from '../../support/compiled.ts'
import { golden, goldenJson } from '../../support/golden.ts'
import { topologyOf } from '../../support/keras-topology.ts'
import { type SyntheticLayer, smoothImage, tinyInput } from '../../support/synthetic.ts'
import { syntheticStore } from '../../support/synthetic-store.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { type GraphOptions, writeGraphModel } from '../../support/write-graph-model.ts'

interface Expected {
  input: { shape: number[] }
  output: { values: number[][] }
  weights: SyntheticLayer[]
}

const SHARD = 'group1-shard1of1.bin'

interface GraphJson {
  weightsManifest: [{ weights: { name: string; shape: number[]; dtype: string }[] }]
  modelTopology: { node: { name: string; op: string; input?: string[]; attr: Record<string, object> }[] }
}

const MODELS: [string, GraphOptions][] = [
  ['minivgg', {}],
  ['minivgg', { computedBatch: true }],
  ['resnetish', { unsigned: true }],
  ['inceptionish', {}],
  ['mobilenetish', {}],
  ['mobilenetish', { normalization: 'parts' }],
  ['mobilenetv2ish', { normalization: 'parts' }],
]

describe('a graph model of TensorFlow.js', () => {
  function written(model: string, options?: GraphOptions): Promise<string> {
    const { weights } = goldenJson<Expected>('formats', model, 'expected.json')
    const list = topologyOf(golden('formats', model, 'topology.keras2.json'))
    return writeGraphModel(join(temporaryFolder(), model), list, syntheticStore(weights), options)
  }

  /** The same model with its JSON changed. */
  async function changed(change: (json: GraphJson) => void): Promise<string> {
    const folder = await written('minivgg')
    const file = join(folder, 'model.json')
    const json = JSON.parse(readFileSync(file, 'utf8')) as GraphJson
    change(json)
    writeFileSync(file, JSON.stringify(json))
    return folder
  }

  const nodeOf = ({ modelTopology }: GraphJson, op: string) => {
    const node = modelTopology.node.find((one) => one.op === op)
    if (!node) throw new Error(`no ${op}`)
    return node
  }

  for (const [model, options] of MODELS) {
    it(`gives the numbers of Keras: ${model} ${JSON.stringify(options)}`, async () => {
      const { input, output } = goldenJson<Expected>('formats', model, 'expected.json')
      const opened = await openModel(await written(model, options))
      const { layers, weights } = opened
      if (!layers || !weights) throw new Error('no layers')
      const pixels = bytesOf(tinyInput(input.shape.reduce((a, b) => a * b)))
      const answers = await withCompiled(layers, weights, {}, (path) =>
        withEngine(path, (engine) => engine.run(pixels, 2)),
      )
      await opened.close()
      const size = output.values[0]?.length ?? 0
      for (const [row, expected] of output.values.entries()) {
        expect(relativeError(answers.subarray(row * size, (row + 1) * size), expected)).to.be.below(1e-4)
      }
    })
  }

  it('is served, with what its last operation does', async () => {
    const pipeline = await madeClassifier({ path: await written('minivgg') })
    const values = await probabilities(pipeline, await png(smoothImage(14, 10), 10, 14))
    await pipeline.close()
    expect(pipeline.info.input).to.deep.include({ width: 10, height: 14, channels: 3 })
    expect(pipeline.info.output).to.deep.include({ inside: 'softmax', applied: 'none' })
    expect(values.reduce((a, b) => a + b)).to.be.closeTo(1, 1e-5)
  })

  it('has the layers of Keras for its nodes', async () => {
    const { format, layers } = await peekModel(await written('minivgg'))
    expect(format).to.equal('tfjs')
    expect(layers?.layers.map(({ className }) => className)).to.include.members([
      'Conv2D',
      'Dense',
      'MaxPooling2D',
    ])
  })

  it('is refused with the names of all operations that cannot be served', async () => {
    const folder = await changed((json) => {
      nodeOf(json, 'MaxPool').op = 'Einsum'
      nodeOf(json, '_FusedMatMul').op = 'TopKV2'
    })
    const { code, message } = await errorOf(peekModel(folder))
    expect(code).to.equal('ERR_MODEL_UNSUPPORTED')
    expect(message).to.contain('Einsum, TopKV2').and.to.contain('ONNX')
  })

  const WRONG: Record<string, [code: string, change: (json: GraphJson) => void]> = {
    'a node that is not there': [
      'ERR_MODEL_LOAD',
      (json) => {
        nodeOf(json, 'MaxPool').input = ['none']
      },
    ],
    'nodes that wait for each other': [
      'ERR_MODEL_LOAD',
      (json) => {
        nodeOf(json, 'MaxPool').input = ['Identity']
      },
    ],
    'another output than the first': [
      'ERR_MODEL_UNSUPPORTED',
      (json) => {
        nodeOf(json, 'Softmax').input = [`${nodeOf(json, 'Softmax').input?.[0]}:1`]
      },
    ],
    'the order NCHW': [
      'ERR_MODEL_UNSUPPORTED',
      (json) => {
        nodeOf(json, 'MaxPool').attr.data_format = { s: Buffer.from('NCHW').toString('base64') }
      },
    ],
    'the order NCHW of a bias': [
      'ERR_MODEL_UNSUPPORTED',
      (json) => {
        nodeOf(json, 'BiasAdd').attr.data_format = { s: Buffer.from('NCHW').toString('base64') }
      },
    ],
    'a bias that is computed': [
      'ERR_MODEL_UNSUPPORTED',
      (json) => {
        const bias = nodeOf(json, 'BiasAdd')
        bias.input = [bias.input?.[0] ?? '', bias.input?.[0] ?? '']
      },
    ],
    'a fused bias that is computed': [
      'ERR_MODEL_UNSUPPORTED',
      (json) => {
        const dense = nodeOf(json, '_FusedMatMul')
        dense.input = [dense.input?.[0] ?? '', dense.input?.[1] ?? '', dense.input?.[0] ?? '']
      },
    ],
    'a cast to whole numbers': [
      'ERR_MODEL_UNSUPPORTED',
      (json) => {
        const softmax = nodeOf(json, 'Softmax')
        softmax.op = 'Cast'
        softmax.attr = { DstT: { type: 'DT_INT32' } }
      },
    ],
    'zeros around an image whose largest numbers are taken': [
      'ERR_MODEL_UNSUPPORTED',
      (json) => {
        const pool = nodeOf(json, 'MaxPool')
        pool.attr.padding = { s: Buffer.from('EXPLICIT').toString('base64') }
        pool.attr.explicit_paddings = { list: { i: ['0', '0', '1', '1', '1', '1', '0', '0'] } }
      },
    ],
    'a fused operation without a translation': [
      'ERR_MODEL_UNSUPPORTED',
      (json) => {
        nodeOf(json, '_FusedMatMul').attr.fused_ops = {
          list: { s: [Buffer.from('Prelu').toString('base64')] },
        }
      },
    ],
    'thousands of axes': [
      'ERR_MODEL_UNSUPPORTED',
      (json) => {
        const reshape = nodeOf(json, 'Reshape')
        reshape.input = [reshape.input?.[0] ?? '', nodeOf(json, '_FusedConv2D').input?.[1] ?? '']
      },
    ],
    'an input without a shape': [
      'ERR_MODEL_UNSUPPORTED',
      (json) => {
        nodeOf(json, 'Placeholder').attr = {}
      },
    ],
    'a node with more inputs than any layer has': [
      'ERR_MODEL_LOAD',
      (json) => {
        nodeOf(json, 'MaxPool').input = Array<string>(10_001).fill('Identity')
      },
    ],
    'a list of nodes that is none': [
      'ERR_MODEL_LOAD',
      (json) => {
        json.modelTopology.node = 7 as never
      },
    ],
  }

  it('keeps the shape of an image where only axes of length 1 are removed', async () => {
    const folder = await changed((json) => {
      const pool = nodeOf(json, 'MaxPool')
      const before = { name: 'squeezed', op: 'Squeeze', input: pool.input ?? [], attr: {} }
      json.modelTopology.node.push(before)
      pool.input = ['squeezed']
    })
    const { close, layers } = await openModel(folder)
    await close()
    if (!layers) throw new Error('no layers')
    const shapes = inferShapes(layers)
    const [input = ''] = layers.layers.find(({ name }) => name === 'squeezed')?.inputs ?? []
    expect(shapes.get('squeezed')).to.deep.equal(shapes.get(input)).and.to.have.length(3)
  })

  it('is refused with a border whose number is computed', async () => {
    const folder = await changed((json) => {
      const pool = nodeOf(json, 'MaxPool')
      const [input = ''] = pool.input ?? []
      json.modelTopology.node.push({ name: 'sides', op: 'Const', attr: {} })
      json.weightsManifest[0].weights.push({ name: 'sides', shape: [4, 2], dtype: 'int32' })
      pool.op = 'PadV2'
      pool.input = [input, 'sides', input]
    })
    appendFileSync(join(folder, SHARD), new Uint8Array(Int32Array.of(0, 0, 1, 1, 1, 1, 0, 0).buffer))
    const { code, message } = await errorOf(peekModel(folder))
    expect(code).to.equal('ERR_MODEL_UNSUPPORTED')
    expect(message).to.contain('from a computation')
  })

  for (const [what, [code, change]] of Object.entries(WRONG)) {
    it(`is refused with ${what}`, async () => {
      expect(await codeOf(peekModel(await changed(change)))).to.equal(code)
    })
  }
})
