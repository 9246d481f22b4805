import { type ExpectedArray, expectedArrays, inferShapes } from '../../graph/shapes.ts'
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
  const shapes = inferShapes(list)
  const groups = new Map<string, { now: Slot[]; later: Slot[] }>()
  for (const layer of list.layers) {
    const place = places.get(layer.name)
    const expected = expectedArrays(layer, shapes.get(layer.inputs[0] ?? '') ?? [])
    const name = place?.group ?? layer.name
    const ownName = place?.ownName ?? layer.name
    const { now, later } = groups.get(name) ?? { now: [], later: [] }
    for (const [index, { role, shape }] of expected.entries()) {
      const slot = { layer: layer.name, ownName, role, shape, index }
      const trained = !role.startsWith('moving_') && !place?.frozen
      if (trained) now.push(slot)
      else later.push(slot)
    }
    if (expected.length > 0) groups.set(name, { now, later })
  }
  return [...groups].map(([name, { now, later }]) => ({ name, slots: [...now, ...later] }))
}
