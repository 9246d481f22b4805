import { expect } from 'chai'
import { catalog } from '../../../pipeline/models/catalog.ts'
import type { CatalogEntry } from '../../../pipeline/models/catalog-entry.ts'
import type { LayerList } from '../../../pipeline/models/networks/layer-list.ts'
import { bindWeights } from '../../../pipeline/weights/bind/bind-weights.ts'
import { innerPlaces } from '../../../pipeline/weights/bind/inner-places.ts'
import { weightStoreOf } from '../../../pipeline/weights/bind/weight-store-of.ts'
import { readKerasConfig } from '../../../pipeline/weights/keras/keras-config.ts'
import type { WeightPlace } from '../../../pipeline/weights/source/topology.ts'
import { relativeError, withCompiled, withEngine } from '../../support/compiled.ts'
import { goldenJson, goldenName, hasGolden } from '../../support/golden.ts'
import { type SyntheticLayer, smoothImage } from '../../support/synthetic.ts'
import { syntheticGroups } from '../../support/synthetic-store.ts'

const TOLERANCE = 1e-4

interface Expected {
  softmax: number[]
  top5: { index: number }[]
}

describe('the networks of the catalog with synthetic weights', () => {
  for (const entry of [...catalog.values()].filter(hasGolden)) {
    it(`gives the numbers of Keras from the bytes of an image: ${entry.name}`, async function () {
      this.timeout(60_000)
      const list = entry.topology()
      await expectGolden(goldenName(entry), list, innerPlaces(list, new Set()), entry.preprocessing)
    })
  }
})

describe('EfficientNetB0 without the second scaling of its published weights', () => {
  it('gives the numbers of Keras from the bytes of an image', async function () {
    this.timeout(60_000)
    const { list, places } = readKerasConfig(goldenJson('applications', 'efficientnet_b0.config.json'))
    await expectGolden('efficientnet_b0', list, places, 'none')
  })
})

/** The weights are bound as the arrays of an .h5 file are, by layers and inner models. */
async function expectGolden(
  name: string,
  list: LayerList,
  places: ReadonlyMap<string, WeightPlace>,
  preprocessing: CatalogEntry['preprocessing'],
): Promise<void> {
  const { layers } = goldenJson<{ layers: SyntheticLayer[] }>('applications', `${name}.weights.json`)
  const { softmax, top5 } = goldenJson<Expected>('applications', `${name}.expected.json`)
  const bound = bindWeights(name, list, places, syntheticGroups(layers))
  const weights = weightStoreOf(name, bound, () => undefined)
  const [height = 0, width = 0] = list.inputShape
  const scores = await withCompiled(list, weights, { preprocessing, input: 'uint8' }, (path) =>
    withEngine(path, (engine) => engine.run(smoothImage(height, width), 1)),
  )
  expect(relativeError(scores, softmax)).to.be.below(TOLERANCE)
  expect(bestOf(scores, 5)).to.deep.equal(top5.map(({ index }) => index))
}

function bestOf(scores: Float32Array, count: number): number[] {
  return [...scores.keys()].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0)).slice(0, count)
}
