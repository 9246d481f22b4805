import { expect } from 'chai'
import { bytesOf, relativeError, withCompiled, withEngine } from '../../support/compiled.ts'
import { golden, goldenJson } from '../../support/golden.ts'
import { topologyOf } from '../../support/keras-topology.ts'
import { type SyntheticLayer, tinyInput } from '../../support/synthetic.ts'
import { syntheticStore } from '../../support/synthetic-store.ts'
import { allByWinograd } from '../../support/winograd.ts'

const TOLERANCE = 1e-4

interface Expected {
  input: { shape: number[] }
  output: { values: number[][] }
  weights: SyntheticLayer[]
}

describe("golden models whose convolutions are all computed by Winograd's way", () => {
  for (const model of ['minivgg', 'resnetish', 'inceptionish']) {
    for (const form of ['convolution-images-2', 'gather-batch-1', 'convolution-groups-1']) {
      it(`give the numbers of Keras: ${model}, ${form}`, async () => {
        const { input, output, weights } = goldenJson<Expected>('formats', model, 'expected.json')
        const list = topologyOf(golden('formats', model, 'topology.keras2.json'))
        const winograd = allByWinograd(list, form)
        expect(winograd.size).to.be.above(0)
        const pixels = bytesOf(tinyInput(input.shape.reduce((a, b) => a * b)))
        const answers = await withCompiled(list, syntheticStore(weights), { winograd }, (path) =>
          withEngine(path, (engine) => engine.run(pixels, 2)),
        )
        expect(relativeError(answers, output.values.flat())).to.be.below(TOLERANCE)
      })
    }
  }
})
