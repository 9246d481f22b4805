import { closeSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readKerasConfig } from '../keras/keras-config.ts'
import { majorVersion } from '../keras/keras-h5.ts'
import { openWindow, readBytes } from '../source/file-window.ts'
import { loadError, quote, unsupported } from '../source/model-file-error.ts'
import { field, isObject } from '../source/parse-json.ts'
import type { SourceArray, SourceGroup } from '../source/source-array.ts'
import type { Topology, WeightPlace } from '../source/topology.ts'
import { dequantize } from './dequantize.ts'
import { readManifest, type TfjsGroup, type TfjsTensor } from './tfjs-manifest.ts'

/** The content of a model.json, read without its shards. */
export interface TfjsModel {
  readonly topology: Topology
  readonly groups: readonly TfjsGroup[]
}

export function readTfjsModel(json: unknown, name: string): TfjsModel {
  const topology = field(json, 'modelTopology')
  if (!isObject(topology)) throw loadError(`${name} is JSON, but no TF.js model: it has no modelTopology.`)
  if (field(json, 'format') === 'graph-model' || field(topology, 'node') !== undefined) {
    throw unsupported(`${name} is a TF.js graph model; TF.js layers models can be served.`)
  }
  const config = field(topology, 'model_config') ?? topology
  const keras = majorVersion(field(topology, 'keras_version'))
  return {
    topology: readKerasConfig(config, { keras }),
    groups: readManifest(field(json, 'weightsManifest'), name),
  }
}

/** The arrays, grouped by the layers that their names begin with. */
export function tfjsGroups(path: string, { topology, groups }: TfjsModel): SourceGroup[] {
  const layerOf = layersByPrefix(topology.places)
  const byLayer = new Map<string, SourceArray[]>()
  for (const group of groups) {
    const shards = locateShards(dirname(path), group)
    for (const tensor of group.tensors) {
      const prefix = tensor.name.slice(0, Math.max(0, tensor.name.lastIndexOf('/')))
      const layer = layerOf.get(prefix) ?? prefix
      const arrays = byLayer.get(layer) ?? []
      arrays.push({ name: tensor.name, shape: tensor.shape, read: () => readTensor(shards, tensor) })
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
  readonly path: string
  readonly name: string
  /** The offset in the bytes of the group. */
  readonly start: number
  readonly size: number
}

/** The paths and sizes of the shards; throws unless the sizes add up to what the arrays need. */
function locateShards(folder: string, { shards, bytes }: TfjsGroup): Shard[] {
  let start = 0
  const found = shards.map((name) => {
    const path = join(folder, name)
    const stats = statSync(path, { throwIfNoEntry: false })
    if (!stats) throw loadError(`The shard ${quote(name)} is missing.`)
    if (!stats.isFile()) throw loadError(`The shard ${quote(name)} is no file.`)
    const shard = { path, name, start, size: stats.size }
    start += stats.size
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
function readTensor(shards: readonly Shard[], { start, bytes, coding }: TfjsTensor): Float32Array {
  const all = Buffer.allocUnsafe(bytes)
  for (const shard of shards) {
    const from = Math.max(start, shard.start)
    const to = Math.min(start + bytes, shard.start + shard.size)
    if (from >= to) continue
    const window = openWindow(shard.path, `The shard ${quote(shard.name)}`)
    try {
      const part = readBytes(window, from - shard.start, to - from)
      if (part.length < to - from)
        throw loadError(`${window.name} has become shorter since the model was opened.`)
      part.copy(all, from - start)
    } finally {
      closeSync(window.fd)
    }
  }
  return dequantize(all, coding)
}
