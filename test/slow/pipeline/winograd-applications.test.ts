import { expect } from 'chai'
import { catalog } from '../../../pipeline/models/catalog.ts'
import { relativeError, withCompiled, withEngine } from '../../support/compiled.ts'
import { goldenJson, goldenName, hasGolden } from '../../support/golden.ts'
import { type SyntheticLayer, smoothImage } from '../../support/synthetic.ts'
import { syntheticStore } from '../../support/synthetic-store.ts'
import { allByWinograd } from '../../support/winograd.ts'

const TOLERANCE = 1e-4

interface Expected {
  softmax: number[]
  top5: { index: number }[]
}

describe("the networks of the catalog, with every 3 × 3 convolution of stride 1 by Winograd's way", () => {
  for (const network of [...catalog.values()].filter(hasGolden)) {
    const { name, topology, preprocessing } = network
    const file = goldenName(network)
    const winograd = allByWinograd(topology(), name === 'vgg19' ? 'gather-batch-2' : 'convolution-images-2')
    if (winograd.size === 0) continue
    it(`give the numbers of Keras: ${name}, ${winograd.size} convolutions`, async function () {
      this.timeout(120_000)
      const { layers } = goldenJson<{ layers: SyntheticLayer[] }>('applications', `${file}.weights.json`)
      const { softmax, top5 } = goldenJson<Expected>('applications', `${file}.expected.json`)
      const [height = 0, width = 0] = topology().inputShape
      const options = { preprocessing, input: 'uint8', winograd } as const
      const scores = await withCompiled(topology(), syntheticStore(layers), options, (path) =>
        withEngine(path, (engine) => engine.run(smoothImage(height, width), 1)),
      )
      expect(relativeError(scores, softmax)).to.be.below(TOLERANCE)
      const best = [...scores.keys()].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0)).slice(0, 5)
      expect(best).to.deep.equal(top5.map(({ index }) => index))
    })
  }
})
