import { expect } from 'chai'
import type { WeightStore } from '../../pipeline/graph/weight-store.ts'
import type { CatalogEntry } from '../../pipeline/models/catalog-entry.ts'
import { ANY_SIZE, type LayerList } from '../../pipeline/models/networks/layer-list.ts'
import { bindWeights } from '../../pipeline/weights/bind/bind-weights.ts'
import { innerPlaces } from '../../pipeline/weights/bind/inner-places.ts'
import { weightStoreOf } from '../../pipeline/weights/bind/weight-store-of.ts'
import { readKerasConfig } from '../../pipeline/weights/keras/keras-config.ts'
import { relativeError, withCompiled, withEngine } from './compiled.ts'
import { goldenJson, goldenName } from './golden.ts'
import { type SyntheticLayer, smoothImage } from './synthetic.ts'
import { syntheticGroups } from './synthetic-store.ts'

const TOLERANCE = 1e-4

interface Expected {
  softmax: number[]
  top5: { index: number }[]
}

/** Compares a network of the catalog with Keras, from the bytes of an image. */
export function compareCatalog(entry: CatalogEntry): Promise<void> {
  const [name, list] = [goldenName(entry), entry.topology()]
  const arrays = bindWeights(name, list, innerPlaces(list, new Set()), syntheticGroups(layersOf(name)))
  return compare(
    name,
    list,
    weightStoreOf(name, arrays, () => undefined),
    entry.preprocessing,
  )
}

/** Networks with layers that the others do not have, and how their pixels are prepared. */
export const OTHERS = {
  nasnet_mobile: 'tf',
  efficientnet_b0: 'none',
  efficientnet_v2_b0: 'none',
  mobilenet_v3_small: 'none',
  convnext_tiny: 'none',
} as const

/** Compares a network, read from its configuration, with Keras. The arrays are bound as those of an .h5 file. */
export function compareConfiguration(name: keyof typeof OTHERS): Promise<void> {
  const { list: anySized, places } = readKerasConfig(goldenJson('applications', `${name}.config.json`))
  const inputShape = anySized.inputShape.map((size) => (size === ANY_SIZE ? 224 : size))
  const list = { ...anySized, inputShape }
  const arrays = bindWeights(name, list, places, syntheticGroups(layersOf(name)))
  return compare(
    name,
    list,
    weightStoreOf(name, arrays, () => undefined),
    OTHERS[name],
  )
}

function layersOf(name: string): SyntheticLayer[] {
  return goldenJson<{ layers: SyntheticLayer[] }>('applications', `${name}.weights.json`).layers
}

async function compare(
  name: string,
  list: LayerList,
  weights: WeightStore,
  preprocessing: CatalogEntry['preprocessing'],
): Promise<void> {
  const { softmax, top5 } = goldenJson<Expected>('applications', `${name}.expected.json`)
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
