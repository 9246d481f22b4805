import type { ExpectedArray } from '../../graph/kind.ts'
import { planLayers } from '../../graph/plan-layers.ts'
import type { LayerList } from '../../models/networks/layer-list.ts'
import type { WeightPlace } from '../source/topology.ts'

/** An array that a layer needs. The slots of a group are in the order of its arrays. */
export interface Slot extends ExpectedArray {
  readonly layer: string
  /** The layer's name within its own model. */
  readonly ownName: string
  /** The array's place among the arrays of the layer. */
  readonly index: number
}

/** The arrays that a group of the file must hold. */
export interface WantedGroup {
  readonly name: string
  readonly slots: readonly Slot[]
}

/** In the group of an inner model, the trainable arrays of all layers come first. */
export function wantedGroups(list: LayerList, places: ReadonlyMap<string, WeightPlace>): WantedGroup[] {
  const plans = planLayers(list)
  const groups = new Map<string, { now: Slot[]; later: Slot[] }>()
  for (const layer of list.layers) {
    if (layer.weightsOf !== undefined) continue
    const place = places.get(layer.name)
    const expected = plans.get(layer.name)?.arrays ?? []
    const name = place?.group ?? layer.name
    const ownName = place?.ownName ?? layer.name
    const { now, later } = groups.get(name) ?? { now: [], later: [] }
    for (const [index, array] of expected.entries()) {
      const slot = { layer: layer.name, ownName, index, ...array }
      const trained = !array.fixed && !place?.frozen
      if (trained) now.push(slot)
      else later.push(slot)
    }
    if (expected.length > 0) groups.set(name, { now, later })
  }
  return [...groups].map(([name, { now, later }]) => ({ name, slots: [...now, ...later] }))
}
