import type { LayerList } from '../../models/networks/layer-list.ts'
import { type WantedGroup, wantedGroups } from '../bind/wanted-groups.ts'
import type { Hdf5Reader } from '../hdf5/hdf5-reader.ts'
import { listNames, loadError } from '../source/model-file-error.ts'
import { type GroupedArrays, layerByLayer, type ModelSource } from '../source/model-source.ts'
import type { SourceArray, SourceGroup } from '../source/source-array.ts'
import type { WeightPlace } from '../source/topology.ts'
import { type Container, containerIn, groupFinder } from './group-paths.ts'
import { numberByClass } from './keras-group-names.ts'
import { sourceArray } from './keras-h5.ts'

const ROOT = '/layers'
/** Groups that contain themselves or each other would have endlessly many paths. */
const MAX_GROUPS = 5_000

/** Whether the file holds only weights as Keras 3 writes them: groups `layers/conv2d_1/vars` with arrays 0, 1, ... */
export async function isKeras3Weights(file: Hdf5Reader): Promise<boolean> {
  return (await containerIn(file)) !== undefined
}

export async function keras3Source(
  file: Hdf5Reader,
): Promise<ModelSource & Required<Pick<ModelSource, 'groups'>>> {
  const container = (await containerIn(file)) ?? 'layers'
  const root = `/${container}`
  return {
    format: 'keras3-weights',
    name: file.name,
    groupNames: (await file.isGroup(root)) ? await file.members(root) : [],
    async groups({ list, places }): Promise<GroupedArrays> {
      const each = places.size > 0 ? layerByLayer(places) : placesByClass(list)
      return { places: each, groups: await keras3Groups(file, container, each, wantedGroups(list, each)) }
    },
    close: () => file.close(),
  }
}

/** The group of each layer, for a layer list without places. */
function placesByClass(list: LayerList): Map<string, WeightPlace> {
  const groupName = numberByClass()
  return new Map(
    list.layers.map(({ name, className }) => {
      const path = `${ROOT}/${groupName(className)}`
      return [name, { group: name, ownName: name, path, frozen: false }]
    }),
  )
}

/** One group for each layer, inner layers included, with the name that the binding looks for. */
async function keras3Groups(
  file: Hdf5Reader,
  container: Container,
  places: ReadonlyMap<string, WeightPlace>,
  wanted: readonly WantedGroup[],
): Promise<SourceGroup[]> {
  const groups: SourceGroup[] = []
  const known = new Set<string>()
  const find = groupFinder(file, container)
  for (const { name, slots } of wanted) {
    const written = places.get(name)?.path ?? ''
    const path = written === '' ? '' : await find(written)
    // A layer made of other layers has a group for each of these. What a wrapper has by itself matters in training only.
    const parts = [...new Set(slots.map(({ part }) => part))]
    const arrays: SourceArray[] = []
    for (const part of parts) {
      // Keras 2 has `_query_dense`.
      const names = part === undefined ? [path] : [`${path}/${part}`, `${path}/_${part}`]
      for (const own of names)
        if (path !== '' && (await file.isGroup(`${own}/vars`))) arrays.push(...(await arraysOf(file, own)))
    }
    if (arrays.length > 0) groups.push({ name, arrays })
    known.add(path)
  }
  const surplus = (await groupsWithArrays(file, container)).filter((path) => !known.has(path))
  if (surplus.length === 0) return groups
  throw loadError(`${file.name} has weights that no layer of the model takes: ${listNames(surplus)}.`)
}

async function arraysOf(file: Hdf5Reader, path: string): Promise<SourceArray[]> {
  const names = (await file.members(`${path}/vars`)).sort((a, b) => Number(a) - Number(b))
  const arrays: SourceArray[] = []
  for (const name of names) {
    arrays.push(await sourceArray(file, `${path}/vars/${name}`, `${path.slice(1)}/vars/${name}`))
  }
  return arrays
}

/** The paths of the layers with arrays in `vars`. Other state, such as that of a random generator, does not count. */
async function groupsWithArrays(file: Hdf5Reader, container: Container): Promise<string[]> {
  const found: string[] = []
  const waiting = [`/${container}`]
  let seen = 0
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (!(await file.isGroup(path))) continue
    for (const name of await file.members(path)) {
      const layer = `${path}/${name}`
      if (++seen > MAX_GROUPS) throw loadError(`${file.name} has more than ${MAX_GROUPS} groups of layers.`)
      if ((await file.isGroup(`${layer}/vars`)) && (await file.members(`${layer}/vars`)).length > 0) {
        found.push(layer)
      }
      waiting.push(`${layer}/${container}`)
    }
  }
  return found
}
