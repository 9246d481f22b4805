import type { File, Group } from 'h5wasm/node'
import { type SyntheticLayer, syntheticArray } from './synthetic.ts'

/** A weights-only file in Keras 2's format, with the values of the formula. */
export async function writeKerasH5(path: string, layers: readonly SyntheticLayer[]): Promise<void> {
  await writeH5(path, (file) => {
    file.create_attribute(
      'layer_names',
      layers.map(({ layer }) => layer),
      [layers.length],
      'S64',
    )
    for (const { layer, arrays } of layers) {
      const outer = subgroup(file, layer)
      const names = arrays.map(({ name }) => `${layer}/${name}:0`)
      outer.create_attribute('weight_names', names, [names.length], 'S96')
      const inner = subgroup(outer, layer)
      for (const array of arrays) {
        const data = syntheticArray(array)
        inner.create_dataset({ name: `${array.name}:0`, data, shape: array.shape, dtype: '<f' })
      }
    }
  })
}

export async function writeH5(path: string, write: (file: File) => void): Promise<void> {
  const { File, ready } = await import('h5wasm/node')
  await ready
  const file = new File(path, 'w')
  try {
    write(file)
  } finally {
    file.close()
  }
}

export function subgroup(group: Group, name: string): Group {
  return group.create_group(name)
}
