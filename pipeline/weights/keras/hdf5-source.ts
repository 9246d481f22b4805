import type { Hdf5Reader } from '../hdf5/hdf5-reader.ts'
import { loadError } from '../source/model-file-error.ts'
import type { ModelSource } from '../source/model-source.ts'
import { readKerasConfig } from './keras-config.ts'
import {
  type KerasRoot,
  kerasGroups,
  kerasLayerNames,
  kerasRoot,
  kerasVersion,
  modelConfig,
} from './keras-h5.ts'
import { isKeras3Weights, keras3Source } from './keras3-weights.ts'
import { isTheano, theanoSource } from './theano-h5.ts'

/** Reads any of Keras' four HDF5 formats. */
export async function hdf5Source(file: Hdf5Reader): Promise<ModelSource> {
  try {
    const root = await kerasRoot(file)
    if (root !== undefined) return await kerasSource(file, root)
    if (await isTheano(file)) return await theanoSource(file)
    if (await isKeras3Weights(file)) return await keras3Source(file)
    throw loadError(
      `${file.name} is an HDF5 file, but no Keras model: it has none of model_weights, layer_names, nb_layers and layers.`,
    )
  } catch (error) {
    file.close()
    throw error
  }
}

async function kerasSource(file: Hdf5Reader, root: KerasRoot): Promise<ModelSource> {
  const config = await modelConfig(file)
  return {
    format: config === undefined ? 'keras-h5-weights' : 'keras-h5',
    name: file.name,
    ...(config !== undefined && {
      topology: readKerasConfig(config, { keras: await kerasVersion(file, root) }),
    }),
    groupNames: await kerasLayerNames(file, root),
    groups: async ({ places }) => ({ places, groups: await kerasGroups(file, root) }),
    close: () => file.close(),
  }
}
