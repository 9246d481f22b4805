import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { errorOf } from '../../support/broker.ts'
import { madeClassifier, madeExtractor, madePipeline, png, probabilities } from '../../support/classifier.ts'
import { smoothImage } from '../../support/synthetic.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { type NodeSketch, type OnnxSketch, TYPE, writeOnnx } from '../../support/write-onnx.ts'

const [HEIGHT, WIDTH] = [12, 10]
const PIXELS = smoothImage(HEIGHT, WIDTH)
const KERNEL = [0.9, -0.2, 0.4, -0.7, 0.1, 0.8, 0.3, -0.5, 0.6, -0.4, 0.2, 0.05]
const BIAS = [0.1, -0.3, 0.2, 0]
const CLASSES = BIAS.length

type Shape = OnnxSketch['input']['shape']

interface Variant {
  readonly shape: Shape
  readonly type?: keyof typeof TYPE
  /** Nodes before the network; the last one makes `x`. */
  readonly first?: readonly NodeSketch[]
  readonly output?: Shape
  readonly softmax?: true
  readonly metadata?: Record<string, string>
  readonly settings?: object
}

const PLANES: Shape = ['n', 3, HEIGHT, WIDTH]

/** The mean of each channel, and a dense layer: so the expected numbers need only a few lines here. */
function write({
  shape,
  type = 'float32',
  first,
  output,
  softmax,
  metadata = {},
  settings,
}: Variant): string {
  const folder = temporaryFolder()
  if (settings) writeFileSync(join(folder, 'pets.json'), JSON.stringify(settings))
  const last = softmax ? 'logits' : 'output'
  return writeOnnx(join(folder, 'pets.onnx'), {
    input: { type: TYPE[type], shape },
    output: { type: TYPE.float32, shape: output ?? ['n', CLASSES] },
    nodes: [
      ...(first ?? []),
      ['Conv', [first ? 'x' : 'input', 'identity'], 'same'],
      ['GlobalAveragePool', ['same'], 'means'],
      ['Flatten', ['means'], 'row'],
      ['Gemm', ['row', 'kernel', 'bias'], last],
      ...(softmax ? ([['Softmax', [last], 'output', { axis: -1 }]] as const) : []),
    ],
    weights: {
      identity: { shape: [3, 3, 1, 1], values: [1, 0, 0, 0, 1, 0, 0, 0, 1] },
      kernel: { shape: [3, CLASSES], values: KERNEL },
      bias: { shape: [CLASSES], values: BIAS },
      scale: { shape: [1], values: [255] },
    },
    metadata,
  })
}

/** The expected probabilities for the picture, with its numbers from 0 to 255 changed by `change`. */
function expected(change: (value: number, channel: number) => number): number[] {
  const means = [0, 1, 2].map((channel) => {
    const values = [...PIXELS].filter((_, i) => i % 3 === channel).map((value) => change(value, channel))
    return values.reduce((a, b) => a + b) / values.length
  })
  const logits = BIAS.map((bias, unit) =>
    means.reduce((sum, mean, channel) => sum + mean * (KERNEL[channel * CLASSES + unit] ?? 0), bias),
  )
  const powers = logits.map(Math.exp)
  const sum = powers.reduce((a, b) => a + b)
  return powers.map((power) => power / sum)
}

const UNIT = expected((value) => value / 255)
const RAW = expected((value) => value)
const TORCH = expected(
  (value, channel) =>
    (value / 255 - ([0.485, 0.456, 0.406][channel] ?? 0)) / ([0.229, 0.224, 0.225][channel] ?? 1),
)
const toPlanes: NodeSketch = ['Transpose', ['input'], 'x', { perm: [0, 3, 1, 2] }]
const toFloat: NodeSketch = ['Cast', ['input'], 'x', { to: TYPE.float32 }]
const size = [HEIGHT, WIDTH]
const unit = { preprocessing: 'unit' }

const VARIANTS: Record<string, Variant & { readonly answers: number[]; readonly tolerance?: number }> = {
  'planes, logits, any number of images': { shape: PLANES, settings: unit, answers: UNIT },
  'planes with softmax': { shape: PLANES, softmax: true, settings: unit, answers: UNIT },
  'the preprocessing of torchvision': { shape: PLANES, settings: { preprocessing: 'torch' }, answers: TORCH },
  'pixels with their channels': {
    shape: ['n', HEIGHT, WIDTH, 3],
    first: [toPlanes],
    settings: unit,
    answers: UNIT,
  },
  'one image at a time': {
    shape: [1, 3, HEIGHT, WIDTH],
    output: [1, CLASSES],
    settings: unit,
    answers: UNIT,
  },
  'three images at a time': {
    shape: [3, 3, HEIGHT, WIDTH],
    output: [3, CLASSES],
    settings: unit,
    answers: UNIT,
  },
  bytes: { shape: PLANES, type: 'uint8', first: [toFloat], answers: RAW },
  'numbers of 16 bits': {
    shape: PLANES,
    type: 'float16',
    first: [toFloat],
    settings: unit,
    answers: UNIT,
    tolerance: 1e-3,
  },
  'names for all sizes': { shape: ['n', 'c', 'h', 'w'], settings: { ...unit, size }, answers: UNIT },
  'names for all sizes, channels last': {
    shape: ['n', 'h', 'w', 'c'],
    first: [toPlanes],
    settings: { ...unit, size },
    answers: UNIT,
  },
  'a name for the number of classes': {
    shape: PLANES,
    output: ['n', 'classes'],
    settings: unit,
    answers: UNIT,
  },
}

describe('an ONNX file of an exporter', () => {
  const picture = () => png(PIXELS, WIDTH, HEIGHT)

  async function answersOf(variant: Variant) {
    const pipeline = await madeClassifier({ path: write(variant) })
    try {
      const image = await picture()
      const batch = await Promise.all(
        Array.from({ length: 4 }, () => pipeline.prepare({ image, top: CLASSES })),
      )
      const rows = (await pipeline.predict(batch)).map((guesses) =>
        guesses.toSorted((a, b) => a.index - b.index).map(({ probability }) => probability),
      )
      return { info: pipeline.info, rows, alone: await probabilities(pipeline, image) }
    } finally {
      await pipeline.close()
    }
  }

  for (const [title, { answers, tolerance = 1e-5, ...variant }] of Object.entries(VARIANTS)) {
    it(`gets the picture in the form that it takes, and answers with probabilities: ${title}`, async () => {
      const { rows, alone } = await answersOf(variant)
      expect(rows).to.have.length(4)
      for (const row of [...rows, alone]) {
        expect(row).to.have.length(CLASSES)
        for (const [i, value] of answers.entries()) expect(row[i]).to.be.closeTo(value, tolerance)
      }
    })
  }

  it('tells what was applied, and how that is known', async () => {
    const logits = await answersOf({ shape: PLANES, settings: unit })
    expect(logits.info.output).to.deep.include({
      inside: 'linear',
      knownBy: 'last layer',
      applied: 'softmax',
    })
    const softmax = await answersOf({ shape: PLANES, softmax: true, settings: unit })
    expect(softmax.info.output).to.deep.include({ inside: 'softmax', knownBy: 'last layer', applied: 'none' })
  })

  it('has the labels that are noted in its metadata, in the forms that exporters write', async () => {
    const noted = {
      names: `{0: 'tench', 1: "cock's comb", 2: 'a, b', 3: 'ray'}`,
      labels: '["tench", "cock\'s comb", "a, b", "ray"]',
      classes: "tench\ncock's comb\na, b\nray\n",
      id2label: '{"3": "ray", "2": "a, b", "1": "cock\'s comb", "0": "tench"}',
    }
    for (const [key, value] of Object.entries(noted)) {
      const { info } = await answersOf({ shape: PLANES, metadata: { other: 'x', [key]: value } })
      expect(info.labelNames, key).to.deep.equal(['tench', "cock's comb", 'a, b', 'ray'])
    }
    const wrong = await answersOf({ shape: PLANES, metadata: { names: 'one,two' } })
    expect(wrong.info.labelNames[0]).to.equal('class_0')
    expect(wrong.info.warnings.join()).to.contain('4 outputs').and.to.contain('2 labels')
  })

  it('of Ultralytics is prepared as in its training', async () => {
    const metadata = { author: 'Ultralytics', task: 'classify', imgsz: `[${HEIGHT}, ${WIDTH}]` }
    const { info, alone } = await answersOf({ shape: ['n', 3, 'h', 'w'], metadata })
    expect(info.input).to.deep.equal({ height: HEIGHT, width: WIDTH, channels: 3, preprocessing: 'unit' })
    for (const [i, value] of UNIT.entries()) expect(alone[i]).to.be.closeTo(value, 1e-5)
  })

  it('warns where pixels would be scaled twice, and where a preprocessing has no effect', async () => {
    const first: NodeSketch[] = [['Div', ['input', 'scale'], 'x']]
    const own = await answersOf({ shape: PLANES, first })
    expect(own.info.warnings).to.deep.equal([])
    for (const [i, value] of UNIT.entries()) expect(own.alone[i]).to.be.closeTo(value, 1e-5)
    const twice = await answersOf({ shape: PLANES, first, settings: { preprocessing: 'tf' } })
    expect(twice.info.warnings.join()).to.contain('scales the pixels itself').and.to.contain('"tf"')
    const bytes = await answersOf({ shape: PLANES, type: 'uint8', first: [toFloat], settings: unit })
    expect(bytes.info.warnings.join()).to.contain('has no effect')
    const once = await answersOf({ shape: PLANES, settings: unit })
    expect(once.info.warnings).to.deep.equal([])
  })

  it('answers with its features pixel by pixel, as all other models do', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'map.json'), '{"kind": "features", "preprocessing": "unit"}')
    const path = writeOnnx(join(folder, 'map.onnx'), {
      input: { type: TYPE.float32, shape: PLANES },
      output: { type: TYPE.float32, shape: PLANES },
      nodes: [['Identity', ['input'], 'output']],
    })
    const pipeline = await madeExtractor({ path })
    const prepared = await pipeline.prepare({ image: await picture() })
    const answers = await pipeline.predict([prepared, prepared])
    await pipeline.close()
    for (const { shape, values } of answers) {
      expect(shape).to.deep.equal([HEIGHT, WIDTH, 3])
      const view = new DataView(values.buffer, values.byteOffset, values.byteLength)
      for (const [i, pixel] of PIXELS.entries())
        expect(view.getFloat32(4 * i, true)).to.be.closeTo(pixel / 255, 1e-6)
    }
  })

  it('serves the output that "head" names, and refuses one that is not there', async () => {
    const served = async (head: unknown) => {
      const folder = temporaryFolder()
      writeFileSync(join(folder, 'two.json'), JSON.stringify({ head }))
      const path = writeOnnx(join(folder, 'two.onnx'), {
        input: { type: TYPE.float32, shape: PLANES },
        output: { type: TYPE.float32, shape: ['n', 3] },
        more: { probabilities: { type: TYPE.float32, shape: ['n', 3] } },
        nodes: [
          ['GlobalAveragePool', ['input'], 'means'],
          ['Flatten', ['means'], 'output'],
          ['Softmax', ['output'], 'probabilities', { axis: 1 }],
        ],
      })
      const { info, close } = await madePipeline({ path })
      await close()
      return info.output
    }
    for (const head of [1, 'probabilities'])
      expect(await served(head)).to.include({ inside: 'softmax', knownBy: 'last layer', applied: 'none' })
    expect(await served(0)).to.include({ applied: 'softmax' })
    for (const head of [2, 'none']) {
      const { code, message } = await errorOf(served(head))
      expect(code).to.equal('ERR_MODEL_SETTINGS')
      expect(message).to.contain('0 or "output", 1 or "probabilities"')
    }
  })

  it('is refused before memory is allocated for an input or an answer that is too large', async () => {
    const map: Shape = ['n', 3, 700, 700]
    const paths = [
      write({ shape: ['n', 3, 50_000, 50_000] }),
      write({ shape: [1_000_000, 3, HEIGHT, WIDTH] }),
      writeOnnx(join(temporaryFolder(), 'map.onnx'), {
        input: { type: TYPE.float32, shape: map },
        output: { type: TYPE.float32, shape: map },
        nodes: [['Identity', ['input'], 'output']],
      }),
    ]
    for (const path of paths) {
      const { code, message } = await errorOf(madePipeline({ path }))
      expect(code, path).to.equal('ERR_MODEL_UNSUPPORTED')
      expect(message).to.contain('the limit is')
    }
  })

  it('is refused where its answer has no row for each image', async () => {
    const path = writeOnnx(join(temporaryFolder(), 'sum.onnx'), {
      input: { type: TYPE.float32, shape: PLANES },
      output: { type: TYPE.float32, shape: [] },
      nodes: [['ReduceSum', ['input'], 'output', { keepdims: 0 }]],
    })
    const { code, message } = await errorOf(madePipeline({ path }))
    expect(code).to.equal('ERR_MODEL_UNSUPPORTED')
    expect(message).to.contain('one row for each image')
  })
})
