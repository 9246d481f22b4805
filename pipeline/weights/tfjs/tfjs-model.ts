import { closeSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readKerasConfig } from '../keras/keras-config.ts'
import { majorVersion } from '../keras/keras-h5.ts'
import { type FileWindow, openWindow, readBytes } from '../source/file-window.ts'
import { loadError, quote, unsupported } from '../source/model-file-error.ts'
import { field, isObject } from '../source/parse-json.ts'
import type { SourceArray, SourceGroup } from '../source/source-array.ts'
import type { Topology, WeightPlace } from '../source/topology.ts'
import { dequantize } from './dequantize.ts'
import { type GraphLayers, graphLayers } from './graph-layers.ts'
import { type GraphNode, graphNodes, nodeName, sizesIn } from './graph-node.ts'
import { readManifest, type TfjsGroup, type TfjsTensor } from './tfjs-manifest.ts'

/** The content of a model.json, read without its shards. */
export interface TfjsModel {
  readonly topology: Topology
  readonly groups: readonly TfjsGroup[]
}

/** A frozen graph of TensorFlow, without layers. */
export function isGraphModel(json: unknown): boolean {
  return field(json, 'format') === 'graph-model' || field(field(json, 'modelTopology'), 'node') !== undefined
}

/** The files of weights that a graph model names. */
export function shardGroups(json: unknown, name: string): TfjsGroup[] {
  return readManifest(field(json, 'weightsManifest'), name)
}

/** The layers that compute the same as a graph model. The shards must be there: shapes and axes are among the weights. */
export async function readGraphModel(json: unknown, name: string, files: ShardFiles): Promise<GraphLayers> {
  const nodes = graphNodes(field(json, 'modelTopology'), name)
  const signature = field(json, 'signature') ?? field(field(json, 'userDefinedMetadata'), 'signature')
  const constants = new Map(
    readManifest(field(json, 'weightsManifest'), name).flatMap((group) => {
      const shards = locateShards(files, group)
      return group.tensors.map((tensor): [string, SourceArray] => [
        tensor.name,
        { name: tensor.name, shape: tensor.shape, read: () => readTensor(files, shards, tensor) },
      ])
    }),
  )
  const [input] = tensorsIn(field(signature, 'inputs'))
  return graphLayers({
    what: name,
    nodes,
    constants,
    output: outputIn(nodes, tensorsIn(field(signature, 'outputs')), name),
    inputShape: sizesIn(input?.shape),
  })
}

interface SignatureTensor {
  readonly name: string
  readonly shape: unknown
}

function tensorsIn(signature: unknown): SignatureTensor[] {
  if (!isObject(signature)) return []
  return Object.values(signature).flatMap((tensor) => {
    const name = field(tensor, 'name')
    return typeof name === 'string' ? [{ name, shape: field(tensor, 'tensorShape') }] : []
  })
}

/** The node that the signature names; without a signature, the only node that no other node takes. */
function outputIn(
  nodes: ReadonlyMap<string, GraphNode>,
  [first, another]: readonly SignatureTensor[],
  what: string,
): string {
  if (first && !another) return nodeName(first.name, 'output')
  const taken = new Set([...nodes.values()].flatMap(({ inputs }) => inputs))
  const [last, other] = [...nodes.keys()].filter((name) => !taken.has(name))
  if (!another && last !== undefined && other === undefined) return last
  throw unsupported(`${what} has several outputs; graph models with one can be served.`)
}

export function readTfjsModel(json: unknown, name: string): TfjsModel {
  const topology = field(json, 'modelTopology')
  if (!isObject(topology)) throw loadError(`${name} is JSON, but no TF.js model: it has no modelTopology.`)
  const config = field(topology, 'model_config') ?? topology
  const keras = majorVersion(field(topology, 'keras_version'))
  return {
    topology: readKerasConfig(config, { keras }),
    groups: readManifest(field(json, 'weightsManifest'), name),
  }
}

/** The files of weights that a model.json names. */
export interface ShardFiles {
  /** Throws if there is no such file. */
  open(name: string): FileWindow
  close(window: FileWindow): void
}

/** Shards in the folder of the model.json. */
export function shardsIn(folder: string): ShardFiles {
  return {
    open(name) {
      const path = join(folder, name)
      const stats = statSync(path, { throwIfNoEntry: false })
      if (!stats) throw loadError(`The shard ${quote(name)} is missing.`)
      if (!stats.isFile()) throw loadError(`The shard ${quote(name)} is no file.`)
      return openWindow(path, `The shard ${quote(name)}`)
    },
    close: ({ fd }) => closeSync(fd),
  }
}

/** The arrays, grouped by the layers that their names begin with. */
export function tfjsGroups(files: ShardFiles, { topology, groups }: TfjsModel): SourceGroup[] {
  const layerOf = layersByPrefix(topology.places)
  const byLayer = new Map<string, SourceArray[]>()
  for (const group of groups) {
    const shards = locateShards(files, group)
    for (const tensor of group.tensors) {
      const prefix = tensor.name.slice(0, Math.max(0, tensor.name.lastIndexOf('/')))
      const layer = layerOf.get(prefix) ?? prefix
      const arrays = byLayer.get(layer) ?? []
      arrays.push({ name: tensor.name, shape: tensor.shape, read: () => readTensor(files, shards, tensor) })
      byLayer.set(layer, arrays)
    }
  }
  return [...byLayer].map(([name, arrays]) => ({ name, arrays }))
}

/** Layers by the prefix of their arrays: a layer's own name if that is unique, and `outer/inner`. */
function layersByPrefix(places: ReadonlyMap<string, WeightPlace>): Map<string, string> {
  const layers = new Map<string, string>()
  const twice = new Set<string>()
  for (const [layer, { ownName }] of places) {
    if (layers.has(ownName)) twice.add(ownName)
    layers.set(ownName, layer)
  }
  for (const name of twice) layers.delete(name)
  for (const layer of places.keys()) layers.set(layer, layer)
  return layers
}

interface Shard {
  readonly name: string
  /** The offset in the bytes of the group. */
  readonly start: number
  readonly size: number
}

/** The sizes of the shards; throws unless the sizes add up to what the arrays need. */
function locateShards(files: ShardFiles, { shards, bytes }: TfjsGroup): Shard[] {
  let start = 0
  const found = shards.map((name) => {
    const window = files.open(name)
    const shard = { name, start, size: window.size }
    files.close(window)
    start += shard.size
    return shard
  })
  if (start === bytes) return found
  const names =
    shards.length === 1
      ? `The shard ${quote(shards[0])} has`
      : `The ${shards.length} shards from ${quote(shards[0])} on have`
  throw loadError(`${names} ${start} bytes, the manifest needs ${bytes}.`)
}

/** Reads only the bytes of this array, from the shard or shards that hold them. */
function readTensor(
  files: ShardFiles,
  shards: readonly Shard[],
  { start, bytes, coding }: TfjsTensor,
): Float32Array {
  const all = Buffer.allocUnsafe(bytes)
  for (const shard of shards) {
    const from = Math.max(start, shard.start)
    const to = Math.min(start + bytes, shard.start + shard.size)
    if (from >= to) continue
    const window = files.open(shard.name)
    try {
      const part = readBytes(window, from - shard.start, to - from)
      if (part.length < to - from)
        throw loadError(`${window.name} has become shorter since the model was opened.`)
      part.copy(all, from - start)
    } finally {
      files.close(window)
    }
  }
  return dequantize(all, coding)
}
