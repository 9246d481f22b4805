import { expect } from 'chai'
import { catalog } from '../../../pipeline/models/catalog.ts'
import { ANY_SIZE } from '../../../pipeline/models/networks/layer-list.ts'
import { bindWeights } from '../../../pipeline/weights/bind/bind-weights.ts'
import { weightStoreOf } from '../../../pipeline/weights/bind/weight-store-of.ts'
import { readKerasConfig } from '../../../pipeline/weights/keras/keras-config.ts'
import { relativeError, withCompiled, withEngine } from '../../support/compiled.ts'
import { goldenJson, hasGolden } from '../../support/golden.ts'
import { type SyntheticLayer, smoothImage } from '../../support/synthetic.ts'
import { syntheticGroups, syntheticStore } from '../../support/synthetic-store.ts'

const TOLERANCE = 1e-4

interface Expected {
  softmax: number[]
  top5: { index: number }[]
}

describe('the networks of the catalog with synthetic weights', () => {
  for (const { name, topology, preprocessing } of [...catalog.values()].filter(hasGolden)) {
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

/** Networks that are not in the catalog: how their pixels are prepared. */
const OTHERS = {
  nasnet_mobile: 'tf',
  efficientnet_b0: 'none',
  efficientnet_v2_b0: 'none',
  mobilenet_v3_small: 'none',
  convnext_tiny: 'none',
} as const

describe('other networks of Keras, from their configuration, with synthetic weights', () => {
  for (const [name, preprocessing] of Object.entries(OTHERS)) {
    it(`gives the numbers of Keras from the bytes of an image: ${name}`, async function () {
      this.timeout(60_000)
      const { layers } = goldenJson<{ layers: SyntheticLayer[] }>('applications', `${name}.weights.json`)
      const { softmax, top5 } = goldenJson<Expected>('applications', `${name}.expected.json`)
      const config = goldenJson('applications', `${name}.config.json`)
      const { list: anySized, places } = readKerasConfig(config)
      const inputShape = anySized.inputShape.map((size) => (size === ANY_SIZE ? 224 : size))
      const list = { ...anySized, inputShape }
      // Bound as the arrays of an .h5 file are, by layers and inner models.
      const weights = weightStoreOf(
        name,
        bindWeights(name, list, places, syntheticGroups(layers)),
        () => undefined,
      )
      const options = { preprocessing, input: 'uint8' } as const
      const [height = 0, width = 0] = inputShape
      const scores = await withCompiled(list, weights, options, (path) =>
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
