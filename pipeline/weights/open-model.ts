import { PipelineError } from '../errors.ts'
import { inferShapes } from '../graph/shapes.ts'
import type { WeightStore } from '../graph/weight-store.ts'
import type { Kernels } from '../models/model-settings.ts'
import { ANY_SIZE, type LayerList } from '../models/networks/layer-list.ts'
import { bindWeights } from './bind/bind-weights.ts'
import { innerPlaces } from './bind/inner-places.ts'
import { weightStoreOf } from './bind/weight-store-of.ts'
import { openSource } from './open-source.ts'
import { loadError, quote } from './source/model-file-error.ts'
import type { ModelFormat, ModelSource } from './source/model-source.ts'
import type { Topology } from './source/topology.ts'

/** Everything that is known about a file before its weights are looked at. */
export interface PeekedModel {
  readonly format: ModelFormat
  /** The topology, if the file has one. Absent for ONNX, which runs unchanged. */
  readonly layers?: LayerList
  /** The file's own names of its layers. */
  readonly groupNames?: readonly string[]
}

export interface OpenedModel extends PeekedModel {
  /** Keyed by the names in `layers`; absent for ONNX. */
  readonly weights?: WeightStore
  close(): Promise<void>
}

export interface OpenOptions {
  /** The topology for a file that holds only weights; ignored for a file that has a topology. */
  readonly layers?: LayerList
  /** The orientation of the convolution kernels in a Theano file, which does not record it. */
  readonly kernels?: Kernels
  /** Which of several outputs is wanted: the name of its layer, or its place. The first one by default. */
  readonly head?: string | number
  /** [height, width] of the images, for a model that takes any size. */
  readonly size?: readonly [number, number]
  /** The folder for unpacking a compressed .keras file. */
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

/** Opens a model of any format; the format is detected from the content. An array is read when the store is asked. */
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

async function boundWeights(source: ModelSource, { layers, kernels, size, head }: OpenOptions) {
  if (!source.groups) return undefined
  const { list: anySized, places: own } = source.topology ?? givenTopology(source, layers)
  const topology = { list: headed(sized(anySized, size), head), places: own }
  // An unsupported layer is reported before anything that is wrong with the weights.
  inferShapes(topology.list)
  const { places, groups } = await source.groups(topology, kernels)
  const bound = bindWeights(source.name, topology.list, places, groups)
  return { layers: topology.list, weights: weightStoreOf(source.name, bound, () => source.close()) }
}

/** The list with the wanted output. */
function headed(list: LayerList, head: OpenOptions['head']): LayerList {
  if (head === undefined) return list
  const outputs = list.outputs ?? [list.output]
  const output = typeof head === 'number' ? outputs[head] : outputs.find((name) => name === head)
  if (output !== undefined) return { ...list, output }
  throw new PipelineError(
    'ERR_MODEL_SETTINGS',
    `The model has no output ${quote(head)}; "head" may be ${outputs.map((name, i) => `${i} or ${quote(name)}`).join(', ')}.`,
  )
}

/** The list for images of one size: the compiler needs the shape of every output. */
function sized(list: LayerList, size: OpenOptions['size']): LayerList {
  if (!size || !list.inputShape.includes(ANY_SIZE)) return list
  // The channels come first where the last axis is a side.
  const firstSide = list.inputShape[2] === ANY_SIZE ? 1 : 0
  const inputShape = list.inputShape.map((length, axis) =>
    length === ANY_SIZE ? (size[axis - firstSide] ?? length) : length,
  )
  return { ...list, inputShape }
}

function peeked({ format, topology, groupNames }: ModelSource): PeekedModel {
  if (format === 'onnx') return { format }
  return { format, ...(topology && { layers: topology.list }), groupNames }
}

function givenTopology({ name, groupNames }: ModelSource, layers: LayerList | undefined): Topology {
  if (layers) return { list: layers, places: innerPlaces(layers, new Set(groupNames)) }
  throw loadError(
    `${name} holds only weights, without the layers that they are for: save the whole model, or name a model of the catalog.`,
  )
}
