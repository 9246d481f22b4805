import { closeSync } from 'node:fs'
import { Hdf5Reader } from './hdf5/hdf5-reader.ts'
import { hdf5Source } from './keras/hdf5-source.ts'
import { readKerasConfig } from './keras/keras-config.ts'
import { majorVersion } from './keras/keras-h5.ts'
import { zipConfig, zipWeights } from './keras/keras-zip.ts'
import { keras3Source } from './keras/keras3-weights.ts'
import { type FileWindow, openWindow, readBytes } from './source/file-window.ts'
import { locate } from './source/locate-model.ts'
import { loadError } from './source/model-file-error.ts'
import { detectContainer } from './source/model-format.ts'
import { layerByLayer, type ModelSource } from './source/model-source.ts'
import { parseJson } from './source/parse-json.ts'
import { readTfjsModel, tfjsGroups } from './tfjs/tfjs-model.ts'

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
      return zipSource(window, tmpDir)
    case 'json':
      return tfjsSource(window, path)
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

async function zipSource(window: FileWindow, tmpDir: string | undefined): Promise<ModelSource> {
  const { config, version } = await zipConfig(window)
  const topology = readKerasConfig(config, { keras: majorVersion(version) })
  const open: { close(): void }[] = []
  const source: ModelSource = {
    format: 'keras-zip',
    name: window.name,
    topology,
    groupNames: [...new Set([...topology.places.values()].map(({ group }) => group))],
    async groups(own, kernels) {
      const { weights, close } = await zipWeights(window, tmpDir)
      open.unshift({ close })
      const file = await Hdf5Reader.open(weights)
      open.unshift(file)
      return (await keras3Source(file)).groups(own, kernels)
    },
    close: () => {
      for (const one of open.splice(0)) one.close()
    },
  }
  return closingFile(window, source)
}

function tfjsSource(window: FileWindow, path: string): ModelSource {
  if (window.size > MAX_JSON_BYTES) {
    throw loadError(`${window.name} has ${window.size} bytes, the limit is ${MAX_JSON_BYTES}.`)
  }
  const model = readTfjsModel(parseJson(readBytes(window, 0, window.size), window.name), window.name)
  const groups = () => ({ places: layerByLayer(model.topology.places), groups: tfjsGroups(path, model) })
  return {
    format: 'tfjs',
    name: window.name,
    topology: model.topology,
    groupNames: [...new Set([...model.topology.places.values()].map(({ group }) => group))],
    groups: async () => groups(),
    close: () => closeSync(window.fd),
  }
}
