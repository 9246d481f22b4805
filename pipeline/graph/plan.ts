import type { Layer, LayerList } from '../models/networks/layer-list.ts'
import { activationName } from './activations.ts'

/** The layers that the output depends on, in their order: an auxiliary head is left away, with its weights. */
export function neededLayers({ layers, output }: LayerList): Layer[] {
  const needed = new Set([output])
  // Backwards, so that a layer is known to be needed before its inputs are looked at.
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
 * The batch normalizations that become part of the layer before them, by that layer's name: it has no activation of
 * its own, and nobody else sees what it hands on.
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
