import type { WeightStore } from '../../pipeline/graph/weight-store.ts'
import type { Layer, LayerList } from '../../pipeline/models/networks/layer-list.ts'
import { bytesOf, withCompiled, withEngine } from './compiled.ts'

export type LayerSketch = [className: string, config?: Layer['config'], inputs?: string[]]

/** Layers one after the other, named a, b, c...; the input is called `input`. */
export function sketch(inputShape: readonly number[], ...sketches: LayerSketch[]): LayerList {
  const layers: Layer[] = [{ name: 'input', className: 'InputLayer', config: {}, inputs: [] }]
  for (const [i, [className, config = {}, inputs]] of sketches.entries()) {
    const name = String.fromCharCode(97 + i)
    layers.push({ name, className, config, inputs: inputs ?? [layers.at(-1)?.name ?? ''] })
  }
  return { inputShape, layers, output: layers.at(-1)?.name ?? '' }
}

export interface SmallArray {
  shape: number[]
  values: number[]
}

/** Weights by the name of the layer. */
export function storeOf(weights: Readonly<Record<string, SmallArray[]>> = {}): WeightStore {
  const arrays = new Map(Object.entries(weights))
  return {
    arrays: (layer) => (arrays.get(layer) ?? []).map(({ shape }, i) => ({ name: `${layer}/${i}`, shape })),
    read: async (layer, index) => Float32Array.from(arrays.get(layer)?.[index]?.values ?? []),
    close: async () => undefined,
  }
}

/** The compiled model's answer to one input of floats. */
export function outcome(list: LayerList, input: readonly number[], weights?: Record<string, SmallArray[]>) {
  return withCompiled(list, storeOf(weights), {}, (path) =>
    withEngine(path, async (engine) => [...(await engine.run(bytesOf(Float32Array.from(input)), 1))]),
  )
}

export const counting = (length: number, from = 1): number[] => Array.from({ length }, (_, i) => from + i)
