import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { findAndFetch } from '../../../pipeline/found-model.ts'
import { type QuantizeResult, type QuantizeStep, quantize } from '../../../pipeline/quantize/quantize.ts'
import { readQuantized } from '../../../pipeline/quantize/quantized.ts'
import { madeClassifier, png, probabilities } from '../../support/classifier.ts'
import { pictures } from '../../support/pictures-of-noise.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const weightsDir = temporaryFolder()
const MODEL = { model: 'digits', weightsDir }
const REQUEST = { weightsDir, threads: 1, spin: false, method: 'squares', dense: false, target: 0.5 } as const

async function quantized(
  count: number,
  more: Partial<typeof REQUEST> | { target?: number; dense?: boolean } = {},
) {
  const found = await findAndFetch(MODEL, () => undefined)
  const steps = quantize(found, pictures(count, [28, 28, 1]), { ...REQUEST, ...more })
  const words: QuantizeStep[] = []
  for (;;) {
    const next = await steps.next()
    if (next.done) return { ...next.value, words }
    words.push(next.value)
  }
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (error: { code?: string; message: string }) => `${error.code} ${error.message}`,
  )

describe('quantizing a model', () => {
  let result: QuantizeResult & { words: QuantizeStep[] }
  before(async () => {
    result = await quantized(24)
  })

  it('tells how far the work is, and never goes back', () => {
    const fractions = result.words.map(({ fraction }) => fraction)
    expect(fractions.length).to.be.greaterThan(20)
    expect(fractions).to.deep.equal([...fractions].sort((a, b) => a - b))
    expect(Math.max(...fractions)).to.be.lessThan(1)
  })

  it('writes the model, the table of scales and the report into a folder of its own', async () => {
    const folder = result.folder ?? ''
    expect(readdirSync(folder).sort()).to.include.members([
      'model.data',
      'model.onnx',
      'quantization.json',
      'report.svg',
      'report.txt',
      'scales.json',
    ])
    expect(readFileSync(join(folder, 'report.txt'), 'utf8')).to.equal(result.text)
    expect(result.text).to.match(/12 pictures to calibrate, 12 others to check/)
    expect(result.text).to.match(/^min-max .*dB$/m)
    const scales = JSON.parse(readFileSync(join(folder, 'scales.json'), 'utf8')) as {
      layers: { layer: string }[]
    }
    expect(scales.layers.map(({ layer }) => layer)).to.include('conv1')
    expect(readFileSync(join(folder, 'report.svg'), 'utf8')).to.match(/^<svg .*<\/svg>\n$/s)
    expect((await readQuantized(folder))?.quantization.agreement.images).to.equal(12)
  })

  it('leaves nothing unfinished behind', () => {
    expect(readdirSync(join(weightsDir, 'int8')).filter((name) => name.endsWith('.part'))).to.deep.equal([])
  })

  it('makes a model that is served as int8, under another version', async () => {
    const picture = await png(
      new Uint8Array(28 * 28 * 3).map((_, i) => (i % 84 > 30 && i % 84 < 50 ? 20 : 250)),
      28,
      28,
    )
    const float = await madeClassifier(MODEL)
    const bytes = await madeClassifier({ ...MODEL, precision: 'int8' })
    const auto = await madeClassifier({ ...MODEL, precision: 'auto' })
    try {
      expect([float.info.precision, bytes.info.precision, auto.info.precision]).to.deep.equal([
        'fp32',
        'int8',
        'int8',
      ])
      expect(bytes.info.version).to.not.equal(float.info.version)
      expect(auto.info.version).to.equal(bytes.info.version)
      expect(bytes.info)
        .to.have.property('quantization')
        .that.matches(/^int8: the same best class as float32 for /)
      const [expected, found] = [await probabilities(float, picture), await probabilities(bytes, picture)]
      expect(found).to.not.deep.equal(expected)
      for (const [i, probability] of found.entries()) expect(probability).to.be.closeTo(expected[i] ?? 0, 0.1)
    } finally {
      await Promise.all([float.close(), bytes.close(), auto.close()])
    }
  })

  it('serves the model of another calibration under another version', async () => {
    const versionOf = async () => {
      const { info, close } = await madeClassifier({ ...MODEL, precision: 'int8' })
      await close()
      return info.version
    }
    const before = await versionOf()
    await quantized(30)
    expect(await versionOf()).to.not.equal(before)
  })

  it('may be for dense layers alone', async () => {
    const { folder } = await quantized(24, { dense: true })
    expect(folder).to.match(/-dense-[78]$/)
    const { info, close } = await madeClassifier({ ...MODEL, settings: { dense: 'int8' } })
    await close()
    expect(info.precision).to.equal('dense')
  })

  it('refuses a model that is not good enough, and keeps what is there', async () => {
    const { folder, text } = await quantized(24, { target: 1.01 })
    expect(folder).to.equal(undefined)
    expect(text).to.match(/NOT used/)
    expect(existsSync(result.folder ?? '')).to.equal(true)
  })

  it('refuses too few pictures', async () => {
    expect(await codeOf(quantized(15))).to.match(/^ERR_MODEL_SETTINGS There are 15 pictures; 16 /)
  })

  it('takes a damaged result for none', async () => {
    const { folder = '' } = await quantized(24)
    writeFileSync(join(folder, 'quantization.json'), '{"method":"squares"}')
    expect(await readQuantized(folder)).to.equal(undefined)
    await quantized(24)
    writeFileSync(join(folder, 'model.data'), 'short')
    expect(await readQuantized(folder)).to.equal(undefined)
  })
})

describe('a model that has not been quantized', () => {
  const empty = temporaryFolder()

  it('is an error with the command to run', async () => {
    const error = await codeOf(madeClassifier({ model: 'digits', weightsDir: empty, precision: 'int8' }))
    expect(error).to.match(/^ERR_NOT_QUANTIZED .*Run: tandem quantize digits --images FOLDER$/)
    const dense = await codeOf(
      madeClassifier({ model: 'digits', weightsDir: empty, settings: { dense: 'int8' } }),
    )
    expect(dense).to.match(/^ERR_NOT_QUANTIZED .*--images FOLDER --dense$/)
  })

  it('is served with floats where int8 is not a must', async () => {
    const auto = { model: 'digits', weightsDir: empty, precision: 'auto' } as const
    const own = {
      model: 'digits',
      weightsDir: empty,
      precision: 'int8',
      settings: { precision: 'fp32' },
    } as const
    for (const options of [auto, own]) {
      const { info, close } = await madeClassifier(options)
      await close()
      expect(info.precision).to.equal('fp32')
    }
  })

  it('cannot be one for another engine or device', async () => {
    const error = await codeOf(
      madeClassifier({ model: 'digits', weightsDir: empty, precision: 'int8', device: 'webgpu' }),
    )
    expect(error).to.match(/^ERR_MODEL_SETTINGS .*int8 needs ENGINE=onnx and DEVICE=auto or cpu/)
  })
})
