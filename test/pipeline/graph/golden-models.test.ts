import { expect } from 'chai'
import { bytesOf, relativeError, withCompiled, withEngine } from '../../support/compiled.ts'
import { golden, goldenJson } from '../../support/golden.ts'
import { topologyOf } from '../../support/keras-topology.ts'
import { type SyntheticLayer, tinyInput } from '../../support/synthetic.ts'
import { syntheticStore } from '../../support/synthetic-store.ts'

const TOLERANCE = 1e-4
const MODELS = [
  'minivgg',
  'mlp',
  'resnetish',
  'inceptionish',
  'mobilenetish',
  'mobilenetv2ish',
  'misc',
  'nested',
]

interface Expected {
  input: { shape: number[] }
  output: { values: number[][] }
  weights: SyntheticLayer[]
}

describe('compiled graphs of the golden models', () => {
  for (const model of MODELS) {
    it(`gives the numbers of Keras: ${model}`, async () => {
      const { input, output, weights } = goldenJson<Expected>('formats', model, 'expected.json')
      const list = topologyOf(golden('formats', model, 'topology.keras2.json'))
      const pixels = bytesOf(tinyInput(input.shape.reduce((a, b) => a * b)))
      const answers = await withCompiled(list, syntheticStore(weights), {}, (path) =>
        withEngine(path, async (engine) => {
          expect(engine.inputShape).to.deep.equal(input.shape.slice(1))
          return {
            all: await engine.run(pixels, 2),
            one: await engine.run(pixels.subarray(0, pixels.length / 2), 1),
          }
        }),
      )
      const size = output.values[0]?.length ?? 0
      for (const [row, expected] of output.values.entries()) {
        const found = answers.all.subarray(row * size, (row + 1) * size)
        expect(relativeError(found, expected), `row ${row}`).to.be.below(TOLERANCE)
      }
      expect(relativeError(answers.one, output.values[0] ?? []), 'alone').to.be.below(TOLERANCE)
    })
  }
})
