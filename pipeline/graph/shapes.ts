import type { LayerList } from '../models/networks/layer-list.ts'
import type { ExpectedArray, Shape } from './kind.ts'
import { planLayers } from './plan-layers.ts'

/** The shape of every layer's output, without the batch. Only computes sizes, allocates nothing. */
export function inferShapes(list: LayerList): ReadonlyMap<string, Shape> {
  return new Map([...planLayers(list)].map(([name, { shape }]) => [name, shape]))
}

/** The arrays of weights that every layer must have, in Keras' order; most classes have none. */
export function expectedArrays(list: LayerList): ReadonlyMap<string, readonly ExpectedArray[]> {
  return new Map([...planLayers(list)].map(([name, { arrays = [] }]) => [name, arrays]))
}
