import { expect } from 'chai'
import { catalog } from '../../../pipeline/models/catalog.ts'
import { relativeError, withCompiled, withEngine } from '../../support/compiled.ts'
import { goldenJson } from '../../support/golden.ts'
import { type SyntheticLayer, smoothImage } from '../../support/synthetic.ts'
import { syntheticStore } from '../../support/synthetic-store.ts'

const TOLERANCE = 1e-4

interface Expected {
  softmax: number[]
  top5: { index: number }[]
}

describe('the networks of the catalog with synthetic weights', () => {
  for (const { name, topology, preprocessing } of catalog.values()) {
    it(`gives the numbers of Keras from the bytes of an image: ${name}`, async function () {
      this.timeout(60_000)
      const { layers } = goldenJson<{ layers: SyntheticLayer[] }>('applications', `${name}.weights.json`)
      const { softmax, top5 } = goldenJson<Expected>('applications', `${name}.expected.json`)
      const options = { preprocessing, input: 'uint8' } as const
      const [height = 0, width = 0] = topology().inputShape
      const scores = await withCompiled(topology(), syntheticStore(layers), options, (path) =>
        withEngine(path, (engine) => engine.run(smoothImage(height, width), 1)),
      )
      expect(relativeError(scores, softmax)).to.be.below(TOLERANCE)
      expect(bestOf(scores, 5)).to.deep.equal(top5.map(({ index }) => index))
    })
  }
})

function bestOf(scores: Float32Array, count: number): number[] {
  return [...scores.keys()].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0)).slice(0, count)
}
