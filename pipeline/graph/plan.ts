import type { Layer, LayerList } from '../models/networks/layer-list.ts'
import { activationName } from './activations.ts'

/** The layers that the output depends on, in their order. Auxiliary heads and their weights are left out. */
export function neededLayers({ layers, output }: LayerList): Layer[] {
  const needed = new Set([output])
  // Backwards, because a layer makes its inputs needed.
  for (const { name, inputs } of [...layers].reverse()) {
    if (needed.has(name)) for (const input of inputs) needed.add(input)
  }
  return layers.filter(({ name, className }) => needed.has(name) || className === 'InputLayer')
}

const TAKES_NORMALIZATION: ReadonlySet<string> = new Set([
  'Conv2D',
  'Dense',
  'DepthwiseConv2D',
  'SeparableConv2D',
])

/**
 * The batch normalizations that are merged into the layer before them, by the name of that layer. The layer before must
 * have no activation, and its output must go to the normalization alone.
 */
export function foldedNormalizations(layers: readonly Layer[], output: string): ReadonlyMap<string, Layer> {
  const consumers = new Map<string, Layer[]>()
  for (const { name } of layers) consumers.set(name, [])
  for (const layer of layers) for (const input of layer.inputs) consumers.get(input)?.push(layer)
  const folded = new Map<string, Layer>()
  for (const layer of layers) {
    const [consumer, another] = consumers.get(layer.name) ?? []
    if (consumer?.className !== 'BatchNormalization' || another || layer.name === output) continue
    if (TAKES_NORMALIZATION.has(layer.className) && activationName(layer) === 'linear')
      folded.set(layer.name, consumer)
  }
  return folded
}
