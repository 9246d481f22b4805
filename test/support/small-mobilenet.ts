import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expectedArrays } from '../../pipeline/graph/shapes.ts'
import type { WeightStore } from '../../pipeline/graph/weight-store.ts'
import type { LayerList } from '../../pipeline/models/networks/layer-list.ts'
import { mobilenet } from '../../pipeline/models/networks/mobilenet.ts'
import { type SyntheticArray, type SyntheticLayer, syntheticArray } from './synthetic.ts'
import { syntheticStore } from './synthetic-store.ts'

const CLASSES = 1000
/** The share of MobileNet's channels: gives 470,000 weights, and an image takes milliseconds. */
const WIDTH = 0.25
const KINDS: Readonly<Record<string, SyntheticArray['kind']>> = {
  kernel: 'kernel',
  depthwise_kernel: 'kernel',
  bias: 'bias',
  gamma: 'gamma',
  beta: 'beta',
  moving_mean: 'mean',
  moving_variance: 'variance',
}

/** MobileNet 0.25 for 224 × 224 and the classes of ImageNet, with weights by formula. */
export function smallMobilenet(): { layers: LayerList; weights: WeightStore } {
  const layers = narrowed()
  return { layers, weights: syntheticStore(arraysOf(layers)) }
}

/** Writes the same network as a TensorFlow.js model; returns the path of model.json. */
export function writeSmallMobilenet(folder: string): string {
  return writeByFormula(folder, narrowed())
}

/** Writes a network as a TensorFlow.js model with weights by formula; returns the path of model.json. */
export function writeByFormula(folder: string, layers: LayerList): string {
  const arrays = arraysOf(layers).flatMap(({ layer, arrays }) =>
    arrays.map((array) => ({ ...array, name: `${layer}/${array.name}` })),
  )
  const weights = arrays.map(({ name, shape }) => ({ name, shape, dtype: 'float32' }))
  const topology = {
    modelTopology: { keras_version: '2.4.0', backend: 'tensorflow', model_config: configOf(layers) },
    weightsManifest: [{ paths: ['weights.bin'], weights }],
  }
  mkdirSync(folder, { recursive: true })
  const bytes = arrays.map((array) => new Uint8Array(syntheticArray(array).buffer))
  writeFileSync(join(folder, 'weights.bin'), Buffer.concat(bytes))
  writeFileSync(join(folder, 'model.json'), JSON.stringify(topology))
  return join(folder, 'model.json')
}

function narrowed(): LayerList {
  const list = mobilenet()
  const layers = list.layers.map((layer) => {
    const { filters } = layer.config
    if (typeof filters !== 'number' || filters === CLASSES) return layer
    return { ...layer, config: { ...layer.config, filters: filters * WIDTH } }
  })
  return { ...list, layers }
}

function arraysOf(list: LayerList): SyntheticLayer[] {
  const expected = expectedArrays(list)
  let t = 0
  return list.layers.map((layer) => {
    const arrays = expected.get(layer.name) ?? []
    return {
      layer: layer.name,
      class: layer.className,
      arrays: arrays.map(({ role, shape }) => {
        const kind = KINDS[role]
        if (kind === undefined) throw new Error(`no formula for ${role}`)
        const [height = 1, width = 1, channels = 1] = shape
        const fanIn = height * width * (role === 'depthwise_kernel' ? 1 : channels)
        // The scale of the golden MobileNet, with which the answers are neither even nor certain.
        const scale = layer.name === 'conv_preds' && kind === 'kernel' ? 2 : 1
        return { t: t++, name: role, kind, shape: [...shape], fanIn, scale }
      }),
    }
  })
}

/** The network as a config of Keras 2. */
function configOf({ layers, output }: LayerList) {
  return {
    class_name: 'Functional',
    config: {
      name: 'small_mobilenet',
      layers: layers.map(({ name, className, config, inputs }) => ({
        class_name: className,
        name,
        config: { ...config, name },
        inbound_nodes: inputs.length === 0 ? [] : [inputs.map((input) => [input, 0, 0, {}])],
      })),
      input_layers: [[layers[0]?.name, 0, 0]],
      output_layers: [[output, 0, 0]],
    },
  }
}
