import { renameSync } from 'node:fs'
import h5wasm, { type Group } from 'h5wasm/node'
import { catalog } from '../../pipeline/models/catalog.ts'
import { formulaLayers } from './formula-layers.ts'
import { goldenJson, goldenName, hasGolden } from './golden.ts'
import { type SyntheticLayer, syntheticArray } from './synthetic.ts'

const KERAS_SUFFIX = ':0'

/**
 * A weights-only file in Keras 2's format for a network of the catalog, filled by formula: as large as the real file.
 */
export async function writeSyntheticH5(network: string, path: string): Promise<void> {
  await h5wasm.ready
  const layers = syntheticLayers(network)
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
    for (const array of arrays) {
      const data = syntheticArray(array)
      const path = `/${layer}/${layer}/${array.name}${KERAS_SUFFIX}`
      const slash = path.lastIndexOf('/')
      const inner = groupAt(file, path.slice(0, slash))
      inner.create_dataset({ name: path.slice(slash + 1), data, shape: array.shape, dtype: '<f4' })
    }
  }
  file.close()
  renameSync(temporary, path)
}

/** The arrays of a network, as in its golden data where there is some. */
export function syntheticLayers(name: string): SyntheticLayer[] {
  const entry = catalog.get(name)
  if (entry && !hasGolden(entry)) return formulaLayers(entry.topology())
  const file = `${goldenName({ name })}.weights.json`
  return goldenJson<{ layers: SyntheticLayer[] }>('applications', file).layers
}

/** The group at a path, made if it is not there. */
function groupAt(file: Group, path: string): Group {
  const found = file.get(path)
  if (found instanceof h5wasm.Group) return found
  const slash = path.lastIndexOf('/')
  const above = slash > 0 ? groupAt(file, path.slice(0, slash)) : file
  return above.create_group(path.slice(slash + 1))
}
