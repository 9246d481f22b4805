import { expect } from 'chai'
import { predictionTable } from '../../../lib/cli/prediction-table.ts'
import { type ModelOutput, outputSentence } from '../../../lib/models/model-output.ts'
import { resultCard } from '../../../lib/pages/result-card.ts'
import { featureText, shareWriter } from '../../../public/figure-words.js'

const guessesOf = (...probabilities: number[]) =>
  probabilities.map((probability, index) => {
    const name = `class_${index}`
    return { index, label: name, name, full: name, probability }
  })

const output = (more: Partial<ModelOutput>): ModelOutput => ({
  kind: 'classes',
  shape: [6],
  inside: 'linear',
  knownBy: 'last layer',
  applied: 'none',
  numbers: 'scores',
  ...more,
})

const SENTENCES: [Partial<ModelOutput>, string][] = [
  [{ inside: 'softmax', numbers: 'probabilities' }, 'Probabilities by the model’s own softmax.'],
  [
    { inside: 'sigmoid', numbers: 'independent probabilities' },
    'Probabilities by the model’s own sigmoid, each class by itself.',
  ],
  [
    { applied: 'softmax', numbers: 'probabilities' },
    'Probabilities by softmax, applied to the model’s logits.',
  ],
  [
    { applied: 'softmax', numbers: 'probabilities', knownBy: 'sample answers' },
    'Probabilities by softmax, applied to the model’s logits, as sample pictures show.',
  ],
  [
    { inside: 'log_softmax', applied: 'softmax', numbers: 'probabilities' },
    'Probabilities by softmax, applied to the model’s own log softmax.',
  ],
  [{}, 'Scores of the model as they are, not probabilities.'],
  [
    { kind: 'features', numbers: 'features', shape: [7, 7, 32] },
    'Answers with features: 7 × 7 × 32 numbers for each picture.',
  ],
]

describe('the words about an answer', () => {
  it('are percentages for probabilities, and plain numbers where one is no probability', () => {
    expect([0.5, 0.0004].map(shareWriter(guessesOf(0.5, 0.0004)))).to.deep.equal(['50.0 %', '< 0.1 %'])
    expect([9.63, 0.5, -2].map(shareWriter(guessesOf(9.63, 0.5, -2)))).to.deep.equal([
      '9.630',
      '0.500',
      '-2.000',
    ])
    // A float of 32 bits may be a little above 1.
    expect(shareWriter(guessesOf(1.0000001, 0))(1.0000001)).to.equal('100.0 %')
  })

  it('are the same on the page and in the table of a terminal', () => {
    for (const [guesses, words] of [
      [guessesOf(9.63, -2), ['9.630', '-2.000']],
      [guessesOf(0.9, 0.1), ['90.0 %', '10.0 %']],
    ] as const) {
      const timing = { queue: 0, prepare: 0, predict: 0, total: 0 }
      const common = { name: 'x', image: undefined, timing, answer: {}, model: 'm', id: 'i', curl: 'curl' }
      const page = String(resultCard({ ...common, guesses }))
      const table = predictionTable('x.png', 'm', guesses)
      for (const word of words) {
        expect(page).to.contain(`>${word}<`)
        expect(table).to.contain(` ${word}\n`)
      }
    }
  })

  it('show the first features of many', () => {
    expect(featureText([2], [0.125, -3])).to.equal('2 numbers: 0.1250, -3.000')
    expect(featureText([4, 5], Array(20).fill(1))).to.match(/^4 × 5 numbers: (1\.000, ){12}…$/)
  })

  for (const [more, sentence] of SENTENCES) {
    it(`say what was done: ${sentence}`, () => expect(outputSentence(output(more))).to.equal(sentence))
  }
})
