import { renameSync } from 'node:fs'
import h5wasm from 'h5wasm/node'
import { goldenJson } from './golden.ts'
import { type SyntheticLayer, syntheticArray } from './synthetic.ts'

const KERAS_SUFFIX = ':0'

/**
 * A weights-only file in Keras 2's format for a network of the catalog, filled by formula: as large as the real file.
 */
export async function writeSyntheticH5(network: string, path: string): Promise<void> {
  await h5wasm.ready
  const { layers } = goldenJson<{ layers: SyntheticLayer[] }>('applications', `${network}.weights.json`)
  const temporary = `${path}.${process.pid}`
  const file = new h5wasm.File(temporary, 'w')
  file.create_attribute(
    'layer_names',
    layers.map(({ layer }) => layer),
  )
  for (const { layer, arrays } of layers) {
    const group = file.create_group(layer)
    const names = arrays.map(({ name }) => `${layer}/${name}${KERAS_SUFFIX}`)
    group.create_attribute('weight_names', names)
    const inner = group.create_group(layer)
    for (const array of arrays) {
      const data = syntheticArray(array)
      inner.create_dataset({ name: `${array.name}${KERAS_SUFFIX}`, data, shape: array.shape, dtype: '<f4' })
    }
  }
  file.close()
  renameSync(temporary, path)
}
