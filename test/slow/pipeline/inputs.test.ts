import { expect } from 'chai'
import { imageInput } from '../../../pipeline/facts/image-input.ts'
import { answerModel } from '../../support/answer-model.ts'
import { errorOf } from '../../support/broker.ts'
import { madeClassifier, madePipeline, png, probabilities } from '../../support/classifier.ts'
import { smoothImage } from '../../support/synthetic.ts'

async function answerOf(name: string, settings?: object) {
  const pipeline = await madeClassifier(answerModel(name, settings))
  try {
    const values = await probabilities(pipeline, await png(smoothImage(40, 30), 30, 40))
    return { ...pipeline.info, values }
  } finally {
    await pipeline.close()
  }
}

const INPUTS = [
  ['input-784', { width: 28, height: 28, channels: 1 }],
  ['input-28x28-logits', { width: 28, height: 28, channels: 1 }],
  ['input-1-channel', { width: 15, height: 18, channels: 1 }],
  ['input-4-channels', { width: 14, height: 16, channels: 4 }],
] as const

describe('the input of a model', () => {
  for (const [name, input] of INPUTS) {
    it(`is an image: ${name}`, async () => {
      const answer = await answerOf(name)
      expect(answer.input).to.deep.equal({ ...input, preprocessing: 'tf' })
      expect(answer.values.reduce((a, b) => a + b)).to.be.closeTo(1, 1e-5)
    })
  }

  it('has the digits as labels where it is MNIST without a channel, and the settings name no labels', async () => {
    for (const name of ['input-784', 'input-28x28-logits'])
      expect((await answerOf(name)).labelNames.join('')).to.equal('0123456789')
    expect((await answerOf('input-1-channel')).labelNames[0]).to.equal('class_0')
  })

  it('may have any size: the setting decides, and a warning says so where it is missing', async () => {
    const usual = await answerOf('input-any-size')
    expect(usual.input).to.deep.include({ width: 224, height: 224, channels: 3 })
    expect(usual.warnings.join()).to.contain('224 × 224').and.to.contain('"size"')
    const set = await answerOf('input-any-size', { size: [20, 24] })
    expect(set.input).to.deep.include({ width: 24, height: 20 })
    expect(set.warnings).to.deep.equal([])
    expect(set.values).not.to.deep.equal(usual.values)
  })

  it('may have its own size as a setting, and no other', async () => {
    expect((await answerOf('input-1-channel', { size: [18, 15] })).input).to.deep.include({ height: 18 })
    const { code, message } = await errorOf(madePipeline(answerModel('input-1-channel', { size: [15, 18] })))
    expect(code).to.equal('ERR_MODEL_SETTINGS')
    expect(message).to.contain('[15, 18]').and.to.contain('[18, 15]')
  })

  it('is a square picture where it is a row of pixels, unless the setting names the sides', () => {
    expect(imageInput([3072], undefined)).to.deep.equal({ height: 32, width: 32, channels: 3 })
    expect(imageInput([1024], undefined)).to.deep.equal({ height: 32, width: 32, channels: 1 })
    expect(imageInput([600], [10, 20])).to.deep.equal({ height: 10, width: 20, channels: 3 })
    expect(imageInput([800], [10, 20])).to.deep.equal({ height: 10, width: 20, channels: 4 })
    for (const [length, size] of [
      [600, undefined],
      [600, [10, 10]],
    ] as const) {
      expect(() => imageInput([length], size))
        .to.throw('[height, width]')
        .with.property('code', 'ERR_MODEL_SETTINGS')
    }
  })

  it('is refused where it is no image', () => {
    for (const shape of [[4], [63], [8, 8, 2], [8, 8, 5], [2, 8, 8, 3]]) {
      expect(() => imageInput(shape, undefined))
        .to.throw('not an image')
        .with.property('code', 'ERR_MODEL_UNSUPPORTED')
    }
  })
})
