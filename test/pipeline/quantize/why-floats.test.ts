import { writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { findAndFetch } from '../../../pipeline/found-model.ts'
import type { PipelineOptions } from '../../../pipeline/make-pipeline.ts'
import { keepRefusal, readRefusal, refusalFile } from '../../../pipeline/quantize/refusal.ts'
import { type Served, whyFloats } from '../../../pipeline/quantize/why-floats.ts'
import { madeClassifier } from '../../support/classifier.ts'
import { drawn, encoded, inked } from '../../support/digits.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const weightsDir = temporaryFolder()
const GOOD = { images: 32, top1: 1, target: 0.97, gain: 2, leastGain: 1.1 }
const WAITS = 'float32 until 64 different pictures of requests have calibrated int8'

const found = () => findAndFetch({ model: 'digits', weightsDir }, () => undefined)

describe('PRECISION=auto and a model that has not been quantized', () => {
  const served: Served = {
    weightsDir,
    engine: 'onnx',
    device: 'cpu',
    bytes: 784,
    isFeatures: false,
    target: 0.97,
    calibrates: true,
  }
  const why = async (more: Partial<Served> = {}) => whyFloats(await found(), { ...served, ...more })

  it('waits for pictures of requests, and for fewer if they are large', async () => {
    expect(await why()).to.deep.equal({ pictures: 64, sentence: WAITS })
    expect((await why({ bytes: 2 ** 20 })).pictures).to.equal(32)
    expect((await why({ bytes: 2 ** 21 })).pictures).to.equal(16)
  })

  it('says why there is nothing to wait for', async () => {
    const cases: [Partial<Served>, string][] = [
      [{ bytes: 2 ** 21 + 1 }, 'its pictures are too large for a sample of them in memory'],
      [{ engine: 'tfjs' }, 'int8 needs ENGINE=onnx and a CPU, not tfjs on cpu'],
      [{ device: 'webgpu' }, 'int8 needs ENGINE=onnx and a CPU, not onnx on webgpu'],
      [{ isFeatures: true }, 'features have no best class to check int8 with'],
      [{ calibrates: false }, 'the model has not been quantized'],
    ]
    for (const [more, because] of cases)
      expect(await why(more)).to.deep.equal({ sentence: `float32, because ${because}` })
    expect(await whyFloats({ ...(await found()), isOnnx: true }, served)).to.deep.equal({
      sentence: 'float32, because an ONNX file is served as it is',
    })
  })

  it('is tried again only on another CPU if it was slow, or if less agreement is wanted', async () => {
    const { key } = await found()
    const file = refusalFile(weightsDir, key)
    const isRefused = async (target: number) => (await readRefusal(file, target)) !== undefined
    expect(await isRefused(1)).to.equal(false)
    await keepRefusal(file, { ...GOOD, top1: 0.9 })
    expect([await isRefused(0.97), await isRefused(0.9)]).to.deep.equal([true, false])
    await keepRefusal(file, { ...GOOD, gain: 1.05 })
    expect(await isRefused(0.5)).to.equal(true)
    const { sentence, isRefused: its } = await why()
    expect(its).to.equal(true)
    expect(sentence).to.equal(
      `The model stays float32: int8 has the same best class as float32 for 100.0 % of 32 pictures of requests (wanted: 97.0 %), and is 1.05 times as fast (wanted: 1.10). Remove ${file} to have it tried again.`,
    )
    writeFileSync(file, JSON.stringify({ ...GOOD, gain: 1.05, cpu: 'another' }))
    expect(await isRefused(0.5)).to.equal(false)
    for (const damaged of ['{', 'null', '{"cpu":"x"}']) {
      writeFileSync(file, damaged)
      expect(await isRefused(1), damaged).to.equal(false)
    }
  })
})

describe('the pipeline of a model that is to be calibrated', () => {
  const options: Partial<PipelineOptions> = {
    model: 'digits',
    weightsDir: temporaryFolder(),
    precision: 'auto',
    precisionAgreement: 0.97,
    calibrates: true,
  }
  const picture = async (digit: 1 | 7) => encoded(inked(drawn({ digit, width: 80 }), 255, 0), 80, 80)

  it('keeps the pixels of what it prepares', async () => {
    const pipeline = await madeClassifier(options)
    try {
      expect(pipeline.info).to.deep.include({ precision: 'fp32', calibration: 64, quantization: WAITS })
      expect(pipeline.methods).to.deep.equal(['predict', 'sample'])
      const [one, seven] = [await picture(1), await picture(7)]
      for (const image of [one, seven, one]) await pipeline.prepare({ image })
      const { count, pictures = [] } = pipeline.sample?.({ from: 0 }) ?? {}
      expect(count).to.equal(2)
      expect(pictures.map(({ length }) => length)).to.deep.equal([784, 784])
      expect(pipeline.sample?.({ from: 2 })).to.deep.equal({ count: 2, pictures: [] })
    } finally {
      await pipeline.close()
    }
  })

  it('keeps nothing, and has no such method, where floats are wanted or the service does not calibrate', async () => {
    for (const more of [{ precision: 'fp32' }, { calibrates: false }] as const) {
      const pipeline = await madeClassifier({ ...options, ...more })
      await pipeline.close()
      expect('sample' in pipeline).to.equal(false)
      expect(pipeline.info).not.to.have.property('calibration')
    }
  })

  it('warns where int8 was tried in vain', async () => {
    const { key } = await findAndFetch(
      { model: 'digits', weightsDir: options.weightsDir ?? '' },
      () => undefined,
    )
    await keepRefusal(refusalFile(options.weightsDir ?? '', key), { ...GOOD, top1: 0.5 })
    const { info, close } = await madeClassifier(options)
    await close()
    expect(info.warnings.join()).to.match(
      /^The model stays float32: int8 has the same best class as float32 for 50\.0 % /,
    )
    expect(info).not.to.have.property('quantization')
  })
})
