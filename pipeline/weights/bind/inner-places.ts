import type { LayerList } from '../../models/networks/layer-list.ts'
import type { WeightPlace } from '../source/topology.ts'

/**
 * The places of layers in inner models, `outer/inner`: their weights are together in one group of the file. If the file
 * has no group `outer`, it has one of another name, which is then found by its place.
 */
export function innerPlaces(list: LayerList, groups: ReadonlySet<string>): Map<string, WeightPlace> {
  const places = new Map<string, WeightPlace>()
  for (const { name } of list.layers) {
    const group = name.slice(0, Math.max(0, name.indexOf('/')))
    if (group === '' || groups.has(name)) continue
    places.set(name, { group, ownName: name.slice(name.lastIndexOf('/') + 1), path: '', frozen: false })
  }
  return places
}
