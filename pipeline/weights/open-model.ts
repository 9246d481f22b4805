import { inferShapes } from '../graph/shapes.ts'
import type { WeightStore } from '../graph/weight-store.ts'
import type { Kernels } from '../models/model-settings.ts'
import type { LayerList } from '../models/networks/layer-list.ts'
import { bindWeights } from './bind/bind-weights.ts'
import { weightStoreOf } from './bind/weight-store-of.ts'
import { openSource } from './open-source.ts'
import { loadError } from './source/model-file-error.ts'
import type { ModelFormat, ModelSource } from './source/model-source.ts'
import type { Topology, WeightPlace } from './source/topology.ts'

/** What can be told of a file without looking at its weights. */
export interface PeekedModel {
  readonly format: ModelFormat
  /** The topology, where the file has one; there is none to be had of ONNX, which is run as it is. */
  readonly layers?: LayerList
  /** The layers that the file lists, by the names that it has for them. */
  readonly groupNames?: readonly string[]
}

export interface OpenedModel extends PeekedModel {
  /** Keyed by the names in `layers`; absent for ONNX. */
  readonly weights?: WeightStore
  close(): Promise<void>
}

export interface OpenOptions {
  /** The topology, for a file that holds weights alone. Others bring their own, and this is not looked at. */
  readonly layers?: LayerList
  /** How the convolution kernels of a Theano file lie, where the file does not tell. */
  readonly kernels?: Kernels
  /** Where a .keras file is unpacked that was packed. */
  readonly tmpDir?: string
}

export async function peekModel(path: string): Promise<PeekedModel> {
  const source = await openSource(path, undefined)
  try {
    return peeked(source)
  } finally {
    source.close()
  }
}

/** Opens a model of any format, told by its content. Each array is read when it is asked for. */
export async function openModel(path: string, options: OpenOptions = {}): Promise<OpenedModel> {
  const source = await openSource(path, options.tmpDir)
  try {
    const weights = await boundWeights(source, options)
    if (!weights)
      return { ...peeked(source), close: weightStoreOf(source.name, new Map(), () => source.close()).close }
    return { ...peeked(source), ...weights, close: () => weights.weights.close() }
  } catch (error) {
    source.close()
    throw error
  }
}

async function boundWeights(source: ModelSource, { layers, kernels }: OpenOptions) {
  if (!source.groups) return undefined
  const topology = source.topology ?? givenTopology(source, layers)
  // A layer that cannot be compiled is the first thing to say, whatever the weights are like.
  inferShapes(topology.list)
  const { places, groups } = await source.groups(topology, kernels)
  const bound = bindWeights(source.name, topology.list, places, groups)
  return { layers: topology.list, weights: weightStoreOf(source.name, bound, () => source.close()) }
}

function peeked({ format, topology, groupNames }: ModelSource): PeekedModel {
  if (format === 'onnx') return { format }
  return { format, ...(topology && { layers: topology.list }), groupNames }
}

function givenTopology({ name, groupNames }: ModelSource, layers: LayerList | undefined): Topology {
  if (layers) return { list: layers, places: innerPlaces(layers, new Set(groupNames)) }
  throw loadError(
    `${name} holds weights alone, and nothing says which layers they are for: save the whole model, or name one of the catalog.`,
  )
}

/** Layers of inner models, `outer/inner`, whose weights the file keeps in the group of the outer one. */
function innerPlaces(list: LayerList, groups: ReadonlySet<string>): Map<string, WeightPlace> {
  const places = new Map<string, WeightPlace>()
  for (const { name } of list.layers) {
    const group = name.slice(0, Math.max(0, name.indexOf('/')))
    if (group === '' || groups.has(name) || !groups.has(group)) continue
    places.set(name, { group, ownName: name.slice(name.lastIndexOf('/') + 1), path: '', frozen: false })
  }
  return places
}
