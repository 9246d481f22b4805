import { PipelineError } from '../../pipeline/errors.ts'
import type { WeightStore } from '../../pipeline/graph/weight-store.ts'
import type { SourceGroup } from '../../pipeline/weights/source/source-array.ts'
import { type SyntheticArray, type SyntheticLayer, syntheticArray } from './synthetic.ts'

/**
 * Weights by formula, as a store: each array is computed when it is read. The arrays of a model inside a model are
 * listed under the inner model's name, as `inner/kernel`; here they belong to the layer `inner`.
 */
export function syntheticStore(layers: readonly SyntheticLayer[]): WeightStore {
  const byName = new Map<string, SyntheticArray[]>()
  for (const { layer, arrays } of layers) {
    for (const array of arrays) {
      const inner = array.name.split('/').at(-2) ?? layer
      byName.set(inner, [...(byName.get(inner) ?? []), array])
    }
  }
  return {
    arrays: (layer) => byName.get(layer) ?? [],
    async read(layer, index) {
      const array = byName.get(layer)?.[index]
      if (!array) throw new PipelineError('ERR_MODEL_LOAD', `There is no array ${index} of layer '${layer}'.`)
      return syntheticArray(array)
    },
    close: async () => undefined,
  }
}

/** Weights by formula, as the groups of an .h5 file: one for each layer, or for each inner model. */
export function syntheticGroups(layers: readonly SyntheticLayer[]): SourceGroup[] {
  return layers.map(({ layer, arrays }) => ({
    name: layer,
    arrays: arrays.map((array) => ({
      name: array.name,
      shape: array.shape,
      read: () => syntheticArray(array),
    })),
  }))
}
