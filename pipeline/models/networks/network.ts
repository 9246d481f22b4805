import type { Layer, LayerList } from './layer-list.ts'

/** Writes a network down layer by layer. What a layer is called stands for its output. */
export interface Network {
  /** Adds a layer and answers its name. */
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
      layers.push({ name, className, config: { name, ...config }, inputs: [inputs].flat() })
      return name
    },
    finish: (output) => ({ inputShape, output, layers: inKerasOrder(layers, output) }),
  }
}

/**
 * The order in which Keras keeps the layers of a model, and their weights in a file: those furthest from the output
 * first, and among those equally far, the ones that one meets first on the way back from the output.
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
  // Layers were added after their inputs, so backwards each is reached after all that use it.
  for (const { name, inputs } of [...layers].reverse()) {
    const depth = depths.get(name) ?? 0
    for (const input of inputs) depths.set(input, Math.max(depths.get(input) ?? 0, depth + 1))
  }
  const rank = (of: ReadonlyMap<string, number>, { name }: Layer) => of.get(name) ?? 0
  return [...layers].sort((a, b) => rank(depths, b) - rank(depths, a) || rank(met, a) - rank(met, b))
}
