import type { Layer, LayerList } from '../models/networks/layer-list.ts'
import type { Plan } from './kind.ts'

/** The layers that the outputs depend on, in their order. All other layers and their weights are left out. */
export function neededLayers({ layers }: LayerList, outputs: readonly string[]): Layer[] {
  const needed = new Set(outputs)
  // Backwards, because a layer makes its inputs needed.
  for (const { name, inputs } of [...layers].reverse()) {
    if (needed.has(name)) for (const input of inputs) needed.add(input)
  }
  return layers.filter(({ name, className }) => needed.has(name) || className === 'InputLayer')
}

/**
 * The batch normalizations that are merged into the layer before them, by the name of that layer. The layer before must
 * have no activation, and its output must go to the normalization alone.
 */
export function foldedNormalizations(
  layers: readonly Layer[],
  plans: ReadonlyMap<string, Plan>,
  outputs: readonly string[],
): ReadonlyMap<string, Layer> {
  const consumers = consumersIn(layers)
  const folded = new Map<string, Layer>()
  for (const { name } of layers) {
    const [consumer, another] = consumers.get(name) ?? []
    if (!consumer || another || outputs.includes(name)) continue
    const axis = plans.get(name)?.foldable
    if (axis !== undefined && plans.get(consumer.name)?.affine?.axis === axis) folded.set(name, consumer)
  }
  return folded
}

/**
 * The pooling layers that Winograd's way can compute together with the convolution before them, by the name of the
 * convolution. A batch normalization that is merged into the convolution may be in between.
 */
export function fusedPools(
  layers: readonly Layer[],
  plans: ReadonlyMap<string, Plan>,
  outputs: readonly string[],
  folded: ReadonlyMap<string, Layer>,
): ReadonlyMap<string, Layer> {
  const consumers = consumersIn(layers)
  const fused = new Map<string, Layer>()
  for (const { name } of layers) {
    if (!plans.get(name)?.winograd?.isRising) continue
    const last = folded.get(name)?.name ?? name
    const [consumer, another] = consumers.get(last) ?? []
    if (!consumer || another || outputs.includes(last)) continue
    if (plans.get(consumer.name)?.halves) fused.set(name, consumer)
  }
  return fused
}

function consumersIn(layers: readonly Layer[]): ReadonlyMap<string, readonly Layer[]> {
  const consumers = new Map<string, Layer[]>()
  for (const { name } of layers) consumers.set(name, [])
  for (const layer of layers) for (const input of layer.inputs) consumers.get(input)?.push(layer)
  return consumers
}
