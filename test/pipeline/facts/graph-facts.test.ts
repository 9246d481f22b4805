import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { inputHints } from '../../../pipeline/facts/input-hints.ts'
import { lastFunction } from '../../../pipeline/facts/last-function.ts'
import { ownScaling } from '../../../pipeline/facts/own-scaling.ts'
import type { Preprocessing } from '../../../pipeline/graph/preprocessing.ts'
import { onnxOutline } from '../../../pipeline/weights/onnx/onnx-outline.ts'
import { madeClassifier, png, probabilities } from '../../support/classifier.ts'
import { withCompiled } from '../../support/compiled.ts'
import { type LayerSketch, sketch, storeOf } from '../../support/small-models.ts'
import { smoothImage } from '../../support/synthetic.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { bytes, type NodeSketch, TYPE, writeOnnx } from '../../support/write-onnx.ts'

const conv: LayerSketch = ['Conv2D', { filters: 2, kernel_size: 3, use_bias: false }]
const kernel = [{ shape: [3, 3, 3, 2], values: Array(54).fill(0.1) }]

/** An ONNX file that ends in these nodes; they take `logits` and make `output`. */
function ending(...nodes: NodeSketch[]): string {
  return writeOnnx(join(temporaryFolder(), 'model.onnx'), {
    input: { type: TYPE.float32, shape: ['n', 3, 8, 8] },
    output: { type: TYPE.float32, shape: ['n', 3] },
    nodes: [['GlobalAveragePool', ['input'], 'means'], ['Flatten', ['means'], 'row'], ...nodes],
    weights: {
      kernel: { shape: [3, 3], values: [0.01, -0.02, 0.01, 0, 0.01, -0.01, -0.01, 0.02, 0] },
      bias: { shape: [3], values: [0.1, 0.2, -0.3] },
    },
  })
}

const dense = (output: string): NodeSketch => ['MatMul', ['row', 'kernel'], output]
const softmaxInParts: NodeSketch[] = [
  dense('logits'),
  ['Exp', ['logits'], 'powers'],
  ['ReduceL1', ['powers'], 'sum', { axes: [1], keepdims: 1 }],
  ['Div', ['powers', 'sum'], 'output'],
]

describe('the graph of a model', () => {
  const scalingOf = (preprocessing: Preprocessing, ...layers: LayerSketch[]) => {
    const list = sketch([8, 8, 3], ...layers)
    const place = String.fromCharCode(97 + layers.indexOf(conv))
    return withCompiled(list, storeOf({ [place]: kernel }), { preprocessing, input: 'uint8' }, async (path) =>
      ownScaling(onnxOutline(path)),
    )
  }

  it("shows a model's own scaling, and not the scaling that was compiled into it", async () => {
    const rescaling: LayerSketch = ['Rescaling', { scale: 1 / 127.5, offset: -1 }]
    for (const preprocessing of ['none', 'tf', 'caffe', 'torch'] as const) {
      expect(await scalingOf(preprocessing, rescaling, conv), preprocessing).to.equal('a')
      expect(await scalingOf(preprocessing, conv), preprocessing).to.equal(undefined)
      expect(
        await scalingOf(preprocessing, ['RandomFlip', { mode: 'horizontal' }], rescaling, conv),
      ).to.equal('b')
    }
    expect(await scalingOf('none', conv, rescaling), 'after the weights').to.equal(undefined)
  })

  it("shows a model's own scaling after its channels were put into another order", () => {
    const path = writeOnnx(join(temporaryFolder(), 'model.onnx'), {
      input: { type: TYPE.float32, shape: ['n', 3, 8, 8] },
      output: { type: TYPE.float32, shape: ['n', 3] },
      nodes: [
        ['Gather', ['input', 'order'], 'blue', { axis: 1 }],
        ['Concat', ['blue'], 'all', { axis: 1 }],
        ['Sub', ['all', 'means'], 'scaled'],
        ['GlobalAveragePool', ['scaled'], 'output'],
      ],
      weights: { means: { shape: [3, 1, 1], values: [103.939, 116.779, 123.68] } },
      integers: { order: [2, 1, 0] },
    })
    expect(ownScaling(onnxOutline(path))).to.equal('scaled')
  })

  const ENDINGS: [title: string, expected: string | undefined, nodes: NodeSketch[]][] = [
    ['softmax', 'softmax', [dense('logits'), ['Softmax', ['logits'], 'output', { axis: 1 }]]],
    ['log-softmax', 'log_softmax', [dense('logits'), ['LogSoftmax', ['logits'], 'output', { axis: 1 }]]],
    ['sigmoid and a copy', 'sigmoid', [dense('a'), ['Sigmoid', ['a'], 'b'], ['Identity', ['b'], 'output']]],
    ['a matrix and a bias', 'linear', [dense('a'), ['Add', ['a', 'bias'], 'output']]],
    ['a sum of two results', undefined, [dense('a'), dense('b'), ['Add', ['a', 'b'], 'output']]],
    ['exponential functions', undefined, softmaxInParts],
  ]
  for (const [title, expected, nodes] of ENDINGS) {
    it(`tells the last function, or that it does not tell: ${title}`, () => {
      expect(lastFunction(onnxOutline(ending(...nodes)))).to.equal(expected)
    })
  }

  it('is asked for sample answers where it does not tell, and log-softmax becomes probabilities', async () => {
    const picture = await png(smoothImage(8, 8), 8, 8)
    const answerOf = async (...nodes: NodeSketch[]) => {
      const pipeline = await madeClassifier({ path: ending(...nodes) })
      const values = await probabilities(pipeline, picture)
      await pipeline.close()
      return { ...pipeline.info.output, values }
    }
    const expected = await answerOf(dense('logits'), ['Softmax', ['logits'], 'output', { axis: 1 }])
    const log = await answerOf(dense('logits'), ['LogSoftmax', ['logits'], 'output', { axis: 1 }])
    expect(log).to.include({ inside: 'log_softmax', applied: 'softmax', numbers: 'probabilities' })
    const sum: NodeSketch[] = [
      dense('a'),
      ['Identity', ['a'], 'b'],
      ['Add', ['b', 'bias'], 'c'],
      ['Sub', ['c', 'bias'], 'output'],
    ]
    const probed = await answerOf(...sum)
    expect(probed).to.include({ inside: 'linear', knownBy: 'sample answers', applied: 'softmax' })
    const parts = await answerOf(...softmaxInParts)
    expect(parts).to.include({ inside: 'softmax', knownBy: 'sample answers', applied: 'none' })
    for (const { values } of [log, probed, parts]) {
      for (const [i, value] of expected.values.entries()) expect(values[i]).to.be.closeTo(value, 1e-5)
    }
  })

  it('tells order and number of the channels', () => {
    const of = (first: NodeSketch[], weights: number[]) =>
      inputHints(
        onnxOutline(
          writeOnnx(join(temporaryFolder(), 'model.onnx'), {
            input: { type: TYPE.float32, shape: ['n', 'a', 'b', 'c'] },
            output: { type: TYPE.float32, shape: ['n', 1] },
            nodes: [...first, ['Conv', [first.length > 0 ? 'x' : 'input', 'kernel'], 'output', { group: 1 }]],
            weights: { kernel: { shape: weights, values: Array(weights.reduce((a, b) => a * b)).fill(0) } },
          }),
        ),
      )
    expect(of([], [2, 1, 1, 1])).to.deep.equal({ order: 'nchw', channels: 1 })
    const transposed: NodeSketch = ['Transpose', ['input'], 'x', { perm: [0, 3, 1, 2] }]
    expect(of([transposed], [2, 4, 1, 1])).to.deep.equal({ order: 'nhwc', channels: 4 })
  })

  it('is refused with a name that is too long, and with too many names', () => {
    const refused = (path: string) => {
      expect(() => onnxOutline(path))
        .to.throw(/limit/)
        .with.property('code', 'ERR_MODEL_UNSUPPORTED')
    }
    refused(ending(dense('x'.repeat(5000))))
    const path = join(temporaryFolder(), 'model.onnx')
    // A graph with one node, whose inputs have no name.
    writeFileSync(path, bytes(7, bytes(1, Buffer.alloc(1_000_002, Buffer.from([0x0a, 0])))))
    refused(path)
  })

  it('has as much metadata as fits into a megabyte, in all entries together', () => {
    const metadata = Object.fromEntries(['a', 'b', 'c'].map((key) => [key, key.repeat(400_000)]))
    const path = writeOnnx(join(temporaryFolder(), 'model.onnx'), {
      input: { type: TYPE.float32, shape: ['n', 3, 8, 8] },
      output: { type: TYPE.float32, shape: ['n', 3] },
      nodes: [['GlobalAveragePool', ['input'], 'output']],
      metadata,
    })
    expect([...onnxOutline(path).metadata.keys()]).to.deep.equal(['a', 'b'])
  })

  it('is refused where it is damaged, with the place', () => {
    const path = ending(dense('output'))
    const content = readFileSync(path)
    const at = content.indexOf('GlobalAveragePool') - 1
    // A name that is longer than its node.
    content[at] = 0x7f
    writeFileSync(path, content)
    expect(() => onnxOutline(path))
      .to.throw(/model\.onnx is cut off or damaged at byte \d+/)
      .with.property('code', 'ERR_MODEL_LOAD')
  })

  it('is refused where a length is negative, and would lead back to what has been read', () => {
    const path = join(temporaryFolder(), 'model.onnx')
    const back = Buffer.concat([Buffer.from([0x0a]), varintOf(2n ** 64n - 4096n)])
    // A node without content that is known, as long as the way back from behind the next tag and its length.
    const node = bytes(1, bytes(15, Buffer.alloc(4096 - back.length - 6)))
    expect(node.length + back.length).to.equal(4096)
    writeFileSync(path, bytes(7, Buffer.concat([node, back])))
    expect(() => onnxOutline(path))
      .to.throw(/model\.onnx is cut off or damaged at byte 4088/)
      .with.property('code', 'ERR_MODEL_LOAD')
  })
})

function varintOf(value: bigint): Buffer {
  const last = Number(value & 127n)
  return value < 128n
    ? Buffer.from([last])
    : Buffer.concat([Buffer.from([last | 128]), varintOf(value >> 7n)])
}
