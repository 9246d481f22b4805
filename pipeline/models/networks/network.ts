import type { Layer, LayerList } from './layer-list.ts'

/** Builds a network layer by layer. A layer's name stands for its output. */
export interface Network {
  /** Adds a layer and returns its name. */
  layer(className: string, name: string, inputs: string | readonly string[], config?: Layer['config']): string
  finish(output: string): LayerList
}

export const INPUT = 'input_layer'

export function network(inputShape: readonly number[]): Network {
  const layers: Layer[] = [
    { name: INPUT, className: 'InputLayer', config: { batch_shape: [null, ...inputShape] }, inputs: [] },
  ]
  return {
    layer(className, name, inputs, config = {}) {
      layers.push({ name, className, config, inputs: [inputs].flat() })
      return name
    },
    finish: (output) => ({ inputShape, output, layers: inKerasOrder(layers, output) }),
  }
}

/**
 * Keras' order of the layers of a model, and of their weights in a file: the layers furthest from the output first; a
 * tie goes to the layer met first on the way back from the output.
 */
function inKerasOrder(layers: readonly Layer[], output: string): Layer[] {
  const byName = new Map(layers.map((layer) => [layer.name, layer]))
  const met = new Map<string, number>()
  function meet(name: string): void {
    if (met.has(name)) return
    met.set(name, met.size)
    for (const input of byName.get(name)?.inputs ?? []) meet(input)
  }
  meet(output)

  const depths = new Map<string, number>()
  // A layer was added before the layers that use it, so this loop reaches it after them, when its depth is final.
  for (const { name, inputs } of [...layers].reverse()) {
    const depth = depths.get(name) ?? 0
    for (const input of inputs) depths.set(input, Math.max(depths.get(input) ?? 0, depth + 1))
  }
  const rank = (of: ReadonlyMap<string, number>, { name }: Layer) => of.get(name) ?? 0
  return [...layers].sort((a, b) => rank(depths, b) - rank(depths, a) || rank(met, a) - rank(met, b))
}
