import { closeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, posix } from 'node:path'
import { KERAS_FILE, TFJS_FILE } from '../models/find-model.ts'
import { Hdf5Reader } from './hdf5/hdf5-reader.ts'
import { hdf5Source } from './keras/hdf5-source.ts'
import { readKerasConfig } from './keras/keras-config.ts'
import { majorVersion } from './keras/keras-h5.ts'
import { zipConfig, zippedHdf5, zipWeights } from './keras/keras-zip.ts'
import { keras3Source } from './keras/keras3-weights.ts'
import { type FileWindow, openWindow, readBytes } from './source/file-window.ts'
import { locate } from './source/locate-model.ts'
import { loadError, quote } from './source/model-file-error.ts'
import { detectContainer } from './source/model-format.ts'
import { layerByLayer, type ModelSource } from './source/model-source.ts'
import { parseJson } from './source/parse-json.ts'
import { entryBytes, entryNamed, unpackEntry } from './source/unpack-entry.ts'
import { readEntries, type ZipEntries } from './source/zip-entries.ts'
import type { TfjsGroup } from './tfjs/tfjs-manifest.ts'
import {
  isGraphModel,
  readGraphModel,
  readTfjsModel,
  type ShardFiles,
  shardGroups,
  shardsIn,
  tfjsGroups,
} from './tfjs/tfjs-model.ts'

/** 32 MB for the topology, as in other formats, and 32 MB for the list of arrays. */
const MAX_JSON_BYTES = 64 * 2 ** 20

/** Opens a file, or a folder with a TF.js model; the format is detected from the content. */
export async function openSource(path: string, tmpDir: string | undefined): Promise<ModelSource> {
  const { file, name } = locate(path)
  const window = openWindow(file, name)
  try {
    return await sourceIn(window, file, tmpDir)
  } catch (error) {
    closeSync(window.fd)
    throw error
  }
}

async function sourceIn(window: FileWindow, path: string, tmpDir: string | undefined): Promise<ModelSource> {
  switch (detectContainer(window)) {
    case 'hdf5':
      return closingFile(window, await hdf5Source(await Hdf5Reader.open(window)))
    case 'zip':
      return closingFile(window, await zipSource(window, tmpDir))
    case 'json':
      return closingFile(window, await tfjsSource(window.name, jsonOf(window), shardsIn(dirname(path))))
    case 'onnx':
      return { format: 'onnx', name: window.name, groupNames: [], close: () => closeSync(window.fd) }
  }
}

function closingFile({ fd }: FileWindow, source: ModelSource): ModelSource {
  return {
    ...source,
    close() {
      source.close()
      closeSync(fd)
    },
  }
}

/** A .keras file, or the ZIP of a download from Teachable Machine: a TF.js model, or an HDF5 file. */
async function zipSource(window: FileWindow, tmpDir: string | undefined): Promise<ModelSource> {
  const zip = await readEntries(window)
  const json = entryNamed(zip, TFJS_FILE)
  if (json !== undefined) return zippedTfjs(window, zip, json, tmpDir)
  const hdf5 = entryNamed(zip, KERAS_FILE)
  if (hdf5 === undefined) return kerasZip(window, tmpDir)
  const { window: content, close } = await zippedHdf5(window, zip, hdf5, tmpDir)
  try {
    return closingAll(await hdf5Source(await Hdf5Reader.open(content)), close)
  } catch (error) {
    close()
    throw error
  }
}

async function zippedTfjs(
  window: FileWindow,
  zip: ZipEntries,
  json: string,
  tmpDir: string = tmpdir(),
): Promise<ModelSource> {
  const name = `${json} in ${window.name}`
  const text = await entryBytes(window.name, zip, json, MAX_JSON_BYTES)
  const unpacked = new Map<string, FileWindow>()
  const opened: (() => void)[] = []
  const shards: ShardFiles = {
    open(shard) {
      const content = unpacked.get(shard)
      if (content) return content
      throw loadError(`The shard ${quote(shard)} is missing.`)
    },
    close: () => undefined,
  }
  const unpackAll = async (groups: readonly TfjsGroup[]) => {
    for (const group of groups) {
      const entryOf = (shard: string) => posix.join(posix.dirname(json), shard)
      mustHaveBytes(window.name, zip, group.shards.map(entryOf), group)
      for (const shard of group.shards) {
        // A small ZIP may name one large shard thousands of times.
        if (unpacked.has(shard)) continue
        const request = { file: window, zip, entry: entryOf(shard), tmpDir, check: () => undefined }
        const { window: content, close } = await unpackEntry(request)
        unpacked.set(shard, content)
        opened.push(close)
      }
    }
  }
  const closeAll = () => {
    for (const close of opened.splice(0)) close()
  }
  try {
    return closingAll(await tfjsSource(name, parseJson(text, name), shards, unpackAll), closeAll)
  } catch (error) {
    closeAll()
    throw error
  }
}

/** Checked before anything is unpacked: entries that are too long would fill the disk. */
function mustHaveBytes(
  file: string,
  { entries }: ZipEntries,
  names: readonly string[],
  group: TfjsGroup,
): void {
  const sizes = names.map((name) => {
    const entry = entries.get(name)
    if (!entry) throw loadError(`${file} has no entry ${quote(name)}, which its model.json names.`)
    return entry.uncompressedSize
  })
  const bytes = sizes.reduce((sum, size) => sum + size, 0)
  if (bytes === group.bytes) return
  throw loadError(`In ${file}, ${names.join(', ')} have ${bytes} bytes, the manifest needs ${group.bytes}.`)
}

function closingAll(source: ModelSource, close: () => void): ModelSource {
  return {
    ...source,
    close() {
      source.close()
      close()
    },
  }
}

async function kerasZip(window: FileWindow, tmpDir: string | undefined): Promise<ModelSource> {
  const { config, version } = await zipConfig(window)
  const topology = readKerasConfig(config, { keras: majorVersion(version) })
  const open: { close(): void }[] = []
  const source: ModelSource = {
    format: 'keras-zip',
    name: window.name,
    topology,
    groupNames: [...new Set([...topology.places.values()].map(({ group }) => group))],
    async groups(own, kernels) {
      const { window: weights, close } = await zipWeights(window, tmpDir)
      open.unshift({ close })
      const file = await Hdf5Reader.open(weights)
      open.unshift(file)
      return (await keras3Source(file)).groups(own, kernels)
    },
    close: () => {
      for (const one of open.splice(0)) one.close()
    },
  }
  return source
}

function jsonOf(window: FileWindow): unknown {
  if (window.size > MAX_JSON_BYTES) {
    throw loadError(`${window.name} has ${window.size} bytes, the limit is ${MAX_JSON_BYTES}.`)
  }
  return parseJson(readBytes(window, 0, window.size), window.name)
}

/** `prepare` is called with all groups of shards before any of them is opened. */
async function tfjsSource(
  name: string,
  json: unknown,
  shards: ShardFiles,
  prepare?: (groups: readonly TfjsGroup[]) => Promise<void>,
): Promise<ModelSource> {
  if (isGraphModel(json)) return graphSource(name, json, shards, prepare)
  const model = readTfjsModel(json, name)
  return {
    format: 'tfjs',
    name,
    topology: model.topology,
    groupNames: [...new Set([...model.topology.places.values()].map(({ group }) => group))],
    async groups() {
      await prepare?.(model.groups)
      return { places: layerByLayer(model.topology.places), groups: tfjsGroups(shards, model) }
    },
    close: () => undefined,
  }
}

async function graphSource(
  name: string,
  json: unknown,
  shards: ShardFiles,
  prepare?: (groups: readonly TfjsGroup[]) => Promise<void>,
): Promise<ModelSource> {
  await prepare?.(shardGroups(json, name))
  const { list, groups } = await readGraphModel(json, name, shards)
  const places = new Map(
    list.layers.map(({ name }) => [name, { group: name, ownName: name, path: '', frozen: false }]),
  )
  return {
    format: 'tfjs',
    name,
    topology: { list, places },
    groupNames: groups.map((group) => group.name),
    groups: async () => ({ places, groups }),
    close: () => undefined,
  }
}
