import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { PipelineOptions } from '../../../pipeline/make-pipeline.ts'
import { madeClassifier, madeExtractor, madePipeline, png } from '../../support/classifier.ts'
import { golden } from '../../support/golden.ts'
import { noiseImage, smoothImage } from '../../support/synthetic.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { type OnnxSketch, type Tensor, TYPE, writeOnnx } from '../../support/write-onnx.ts'

const [WIDTH, HEIGHT] = [12, 16]
/** The golden model has the outputs "kind", of five classes, and "real", one probability. */
const MODEL = golden('classes', 'head-two-outputs', 'keras3.keras')

const weightsDir = temporaryFolder()

function model(settings: object = {}): Partial<PipelineOptions> {
  const path = join(temporaryFolder(), 'two.keras')
  copyFileSync(MODEL, path)
  writeFileSync(path.replace('.keras', '.json'), JSON.stringify({ preprocessing: 'tf', ...settings }))
  return { path, weightsDir }
}

function onnx(sketch: Partial<OnnxSketch>, settings: object = {}): Partial<PipelineOptions> {
  const path = join(temporaryFolder(), 'two.onnx')
  writeFileSync(path.replace('.onnx', '.json'), JSON.stringify(settings))
  const row: Tensor = { type: TYPE.float32, shape: ['n', WIDTH * HEIGHT * 3] }
  writeOnnx(path, {
    input: { type: TYPE.float32, shape: ['n', 3, HEIGHT, WIDTH] },
    output: row,
    nodes: [['Flatten', ['input'], 'output']],
    ...sketch,
  })
  return { path }
}

async function pictures(): Promise<Uint8Array[]> {
  return [
    await png(smoothImage(HEIGHT, WIDTH), WIDTH, HEIGHT),
    await png(noiseImage(HEIGHT, WIDTH), WIDTH, HEIGHT),
  ]
}

/** The answers to two pictures in one batch. */
async function answersOf(options: Partial<PipelineOptions>) {
  const pipeline = await madePipeline(options)
  if (pipeline.kind !== 'several') throw new Error('the model has one output')
  const batch = await Promise.all((await pictures()).map((image) => pipeline.prepare({ image, top: 5 })))
  const answers = await pipeline.predict(batch)
  await pipeline.close()
  const rows = answers.map(({ predictions }) =>
    predictions.toSorted((a, b) => a.index - b.index).map(({ probability }) => probability),
  )
  return { info: pipeline.info, rows, others: answers.map(({ outputs }) => outputs) }
}

describe('a model with several outputs', () => {
  it('answers with the numbers of all: each output alone gives the same', async () => {
    const both = await answersOf(model())
    expect(both.info.output.others).to.deep.equal([{ name: 'real', shape: [1] }])
    const other = await answersOf(model({ head: 'real', output: 'none' }))
    expect(other.info.output.others).to.deep.equal([{ name: 'kind', shape: [5] }])
    for (const image of [0, 1]) {
      const real = both.others[image]?.real
      expect(real).to.deep.equal({ shape: [1], values: [other.rows[image]?.at(-1)] })
      expect(other.others[image]?.kind?.values).to.deep.equal(both.rows[image])
    }
    expect(both.rows[0]).not.to.deep.equal(both.rows[1])
  })

  it('answers with the same numbers on the engine tfjs', async () => {
    const [found, expected] = [await answersOf({ ...model(), engine: 'tfjs' }), await answersOf(model())]
    for (const image of [0, 1]) {
      expect(found.others[image]?.real?.values[0]).to.be.closeTo(
        expected.others[image]?.real?.values[0] ?? 0,
        1e-5,
      )
      for (const [i, value] of (expected.rows[image] ?? []).entries())
        expect(found.rows[image]?.[i]).to.be.closeTo(value, 1e-5)
    }
  })

  it('answers with them beside features too', async () => {
    const pipeline = await madeExtractor(model({ kind: 'features' }))
    const [answer] = await pipeline.predict([
      await pipeline.prepare((await pictures())[0] ?? new Uint8Array()),
    ])
    await pipeline.close()
    expect(answer?.shape).to.deep.equal([5])
    expect(answer?.outputs?.real?.values).to.have.length(1)
  })

  it('may be an ONNX file: an output without floats or without a row for each image is left out', async () => {
    const { info, rows, others } = await answersOf(
      onnx(
        {
          output: { type: TYPE.float32, shape: ['n', 3] },
          more: {
            largest: { type: TYPE.float32, shape: ['n', 'channels', 1, 1] },
            place: { type: TYPE.int64, shape: ['n', 1, HEIGHT, WIDTH] },
            all: { type: TYPE.float32, shape: ['once'] },
          },
          nodes: [
            ['GlobalMaxPool', ['input'], 'largest'],
            ['ArgMax', ['input'], 'place', { axis: 1, keepdims: 1 }],
            ['Reshape', ['largest', 'flat'], 'all'],
            ['Flatten', ['largest'], 'output'],
          ],
          integers: { flat: [-1] },
        },
        { preprocessing: 'unit', output: 'none' },
      ),
    )
    expect(info.output.others).to.deep.equal([{ name: 'largest', shape: [3, 1, 1] }])
    for (const image of [0, 1]) expect(others[image]?.largest?.values).to.deep.equal(rows[image])
  })

  it('has a map pixel by pixel where it is served, and the numbers of the others behind it', async () => {
    const pipeline = await madeExtractor(
      onnx(
        {
          output: { type: TYPE.float32, shape: ['n', 3, HEIGHT, WIDTH] },
          more: { largest: { type: TYPE.float32, shape: ['n', 3, 1, 1] } },
          nodes: [
            ['Identity', ['input'], 'output'],
            ['GlobalMaxPool', ['input'], 'largest'],
          ],
        },
        { kind: 'features', preprocessing: 'none' },
      ),
    )
    const batch = await Promise.all((await pictures()).map((image) => pipeline.prepare(image)))
    const answers = await pipeline.predict(batch)
    await pipeline.close()
    for (const [i, pixels] of [smoothImage(HEIGHT, WIDTH), noiseImage(HEIGHT, WIDTH)].entries()) {
      const { values = new Uint8Array(), outputs } = answers[i] ?? {}
      const view = new DataView(values.buffer, values.byteOffset)
      expect([...pixels.keys()].map((at) => view.getFloat32(4 * at, true))).to.deep.equal([...pixels])
      const largest = [0, 1, 2].map((channel) => Math.max(...pixels.filter((_, at) => at % 3 === channel)))
      expect(outputs?.largest?.values).to.deep.equal(largest)
    }
  })

  it('leaves out what an answer has no room for: all other outputs have 10,000 numbers together', async () => {
    const others = (second: number) =>
      onnx({
        output: { type: TYPE.float32, shape: ['n', 3, 1, 1] },
        more: {
          first: { type: TYPE.float32, shape: ['n', WIDTH * HEIGHT * 3] },
          second: { type: TYPE.float32, shape: ['n', second] },
        },
        nodes: [
          ['GlobalMaxPool', ['input'], 'output'],
          ['Flatten', ['input'], 'first'],
          ['MatMul', ['first', 'wide'], 'second'],
        ],
        weights: {
          wide: {
            shape: [WIDTH * HEIGHT * 3, second],
            values: new Array(WIDTH * HEIGHT * 3 * second).fill(0),
          },
        },
      })
    const most = 10_000 - WIDTH * HEIGHT * 3
    const names = async (second: number) => {
      const { info, close } = await madePipeline(others(second))
      await close()
      return info.output.others?.map(({ name }) => name)
    }
    expect(await names(most)).to.deep.equal(['first', 'second'])
    expect(await names(most + 1)).to.deep.equal(['first'])
  })

  it('answers like any other where no output is left', async () => {
    const pipeline = await madeClassifier(
      onnx({
        output: { type: TYPE.float32, shape: ['n', 3, 1, 1] },
        more: { place: { type: TYPE.int64, shape: ['n', 1, HEIGHT, WIDTH] } },
        nodes: [
          ['ArgMax', ['input'], 'place', { axis: 1, keepdims: 1 }],
          ['GlobalMaxPool', ['input'], 'output'],
        ],
      }),
    )
    await pipeline.close()
    expect(pipeline.info.output).not.to.have.property('others')
  })
})
