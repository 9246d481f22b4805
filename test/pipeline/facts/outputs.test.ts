import { expect } from 'chai'
import type { ModelSettings } from '../../../pipeline/models/model-settings.ts'
import { answerModel } from '../../support/answer-model.ts'
import { errorOf } from '../../support/broker.ts'
import { madeClassifier, madeExtractor, madePipeline, png, probabilities } from '../../support/classifier.ts'
import { smoothImage } from '../../support/synthetic.ts'

type Settings = Partial<Record<keyof ModelSettings, unknown>>

const SIDE = 16

/** The facts, and the probabilities for one picture. */
async function answerOf(name: string, settings?: Settings, labels?: readonly string[], engine?: 'tfjs') {
  const pipeline = await madeClassifier({ ...answerModel(name, settings, labels), ...(engine && { engine }) })
  try {
    const picture = await png(smoothImage(SIDE, SIDE), SIDE, SIDE)
    return { ...pipeline.info, values: await probabilities(pipeline, picture) }
  } finally {
    await pipeline.close()
  }
}

function softmax(values: readonly number[]): number[] {
  const powers = values.map(Math.exp)
  const sum = powers.reduce((a, b) => a + b)
  return powers.map((power) => power / sum)
}

const sigmoid = (value: number) => 1 / (1 + Math.exp(-value))

function near(found: readonly number[], expected: readonly number[]): void {
  expect(found).to.have.length(expected.length)
  for (const [i, value] of expected.entries()) expect(found[i]).to.be.closeTo(value, 1e-6)
}

describe('the output of a model', () => {
  it('is logits where the last layer is linear: softmax makes probabilities of them', async () => {
    const raw = await answerOf('head-logits', { output: 'none' })
    expect(raw.output).to.deep.include({ inside: 'linear', applied: 'none', numbers: 'scores' })
    expect(Math.min(...raw.values)).to.be.below(0)
    const { output, values } = await answerOf('head-logits')
    expect(output).to.deep.equal({
      kind: 'classes',
      shape: [6],
      inside: 'linear',
      knownBy: 'last layer',
      applied: 'softmax',
      numbers: 'probabilities',
    })
    near(values, softmax(raw.values))
  })

  it('is found from sample answers where the graph is not known', async () => {
    const { output, values } = await answerOf('head-logits', {}, [], 'tfjs')
    expect(output).to.deep.include({ knownBy: 'sample answers', inside: 'linear', applied: 'softmax' })
    near(values, (await answerOf('head-logits')).values)
    const labels = await answerOf('head-multilabel', {}, [], 'tfjs')
    expect(labels.output).to.deep.include({ inside: 'sigmoid', applied: 'none' })
    const digits = await answerOf('input-784', {}, [], 'tfjs')
    expect(digits.output).to.deep.include({ inside: 'softmax', applied: 'none' })
  })

  it('is not looked at where it is features, and no layer tells what it is', async () => {
    const options = answerModel('head-logits', { kind: 'features' })
    const { info, close } = await madeExtractor({ ...options, engine: 'tfjs' })
    await close()
    expect(info.output).to.deep.include({ inside: 'unknown', knownBy: 'not needed', applied: 'none' })
  })

  it('has another function if the setting says so', async () => {
    const raw = await answerOf('head-logits', { output: 'none' })
    const { output, values } = await answerOf('head-logits', { output: 'sigmoid' })
    expect(output).to.deep.include({ applied: 'sigmoid', numbers: 'independent probabilities' })
    near(values, raw.values.map(sigmoid))
  })

  it('stays as it is where the model ends in softmax or sigmoid', async () => {
    const digits = await answerOf('input-784')
    expect(digits.output).to.deep.include({ inside: 'softmax', applied: 'none', numbers: 'probabilities' })
    expect(digits.values.reduce((a, b) => a + b)).to.be.closeTo(1, 1e-5)
    const several = await answerOf('head-multilabel')
    expect(several.output).to.deep.include({ inside: 'sigmoid', numbers: 'independent probabilities' })
    near(several.values, (await answerOf('head-multilabel', { output: 'none' })).values)
    expect(several.warnings).to.deep.equal([])
  })

  it('is not changed twice without a warning', async () => {
    const { warnings } = await answerOf('input-784', { output: 'softmax' })
    expect(warnings.join()).to.contain('"output": "softmax"').and.to.contain('remove the setting')
  })

  it('has two classes where it is one probability', async () => {
    const { labels, labelNames, values, output } = await answerOf('head-sigmoid', {}, ['cat', 'dog'])
    expect([labels, labelNames]).to.deep.equal([2, ['cat', 'dog']])
    expect(output).to.deep.include({ inside: 'sigmoid', applied: 'none', numbers: 'probabilities' })
    const one = await answerOf('head-sigmoid', { output: 'none' }, ['dog'])
    expect(one.output.numbers).to.equal('independent probabilities')
    const [dog = 0] = one.values
    expect(dog).to.be.within(0, 1).and.not.to.be.closeTo(0.5, 0.01)
    near(values, [1 - dog, dog])
    expect((await answerOf('head-sigmoid')).labelNames).to.deep.equal(['class_0', 'class_1'])
  })

  it('is refused as a classifier where it is a map, with the setting that helps', async () => {
    const { code, message } = await errorOf(madePipeline(answerModel('head-feature-map')))
    expect(code).to.equal('ERR_MODEL_UNSUPPORTED')
    expect(message).to.contain('4 × 3 × 5').and.to.contain('"kind": "features"')
  })

  it('is served as it is where the settings call it features', async () => {
    const pipeline = await madeExtractor(answerModel('head-feature-map', { kind: 'features' }))
    const picture = await png(smoothImage(SIDE, 12), 12, SIDE)
    const [first, second] = await pipeline.predict([
      await pipeline.prepare(picture),
      await pipeline.prepare({ image: picture, top: 3 }),
    ])
    await pipeline.close()
    expect(pipeline.info.output).to.deep.include({ kind: 'features', shape: [4, 3, 5], numbers: 'features' })
    expect(first?.shape).to.deep.equal([4, 3, 5])
    expect(first?.values).to.have.length(4 * 60)
    const bytes = Buffer.from(first?.values ?? [])
    const numbers = Array.from({ length: 60 }, (_, i) => bytes.readFloatLE(4 * i))
    expect(Math.max(...numbers)).to.be.within(1e-3, 1e3)
    expect(second).to.deep.equal(first)
  })
})
