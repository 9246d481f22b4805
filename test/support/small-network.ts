import { planLayers } from '../../pipeline/graph/plan-layers.ts'
import type { WeightStore } from '../../pipeline/graph/weight-store.ts'
import type { Layer, LayerList } from '../../pipeline/models/networks/layer-list.ts'
import { hash } from './synthetic.ts'

/** A layer in a test: class, fields, and the inputs if they are not the layer before. */
export type Written = readonly [
  className: string,
  config?: Record<string, unknown>,
  inputs?: readonly string[],
]

/** A network of layers in a row, each named by class and place: `Conv2D 1`. The input is `input`. */
export function smallNetwork(inputShape: readonly number[], written: readonly Written[]): LayerList {
  const layers: Layer[] = [{ name: 'input', className: 'InputLayer', config: {}, inputs: [] }]
  for (const [className, config = {}, inputs = [layers.at(-1)?.name ?? '']] of written) {
    layers.push({ name: `${className} ${layers.length}`, className, config, inputs })
  }
  return { inputShape, layers, output: layers.at(-1)?.name ?? '' }
}

/** Arbitrary weights that fit the network; variances are above zero, as in a real network. */
export function anyWeights(
  list: LayerList,
  seed = ({ layer, index }: { layer: string; index: number; role: string }) => layer.length * 31 + index,
): WeightStore {
  const arrays = new Map([...planLayers(list)].map(([name, plan]) => [name, plan.arrays ?? []]))
  return {
    arrays: (layer) =>
      (arrays.get(layer) ?? []).map(({ role, shape }) => ({ name: `${layer}/${role}`, shape })),
    async read(layer, index) {
      const { role, shape } = arrays.get(layer)?.[index] ?? { role: '', shape: [0] }
      const [least, most] = role.endsWith('variance') ? [0.5, 1.5] : [-0.6, 0.6]
      const length = shape.reduce((product, size) => product * size, 1)
      const t = seed({ layer, index, role })
      return Float32Array.from({ length }, (_, i) => least + (most - least) * (hash(t, i) / 2 ** 32))
    },
    close: async () => undefined,
  }
}
