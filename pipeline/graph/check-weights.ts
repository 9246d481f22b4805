import type { PipelineError } from '../errors.ts'
import type { Layer } from '../models/networks/layer-list.ts'
import { elements } from './axes.ts'
import type { ExpectedArray, Plan } from './kind.ts'
import { layerError, shapeText } from './layer-config.ts'
import { ownerOf, type WeightStore } from './weight-store.ts'

/**
 * The most numbers in one layer's output for one image: 1 GiB. The largest output in VGG-16 has 3 million. Without this
 * limit, a model with a huge layer would load and then run out of memory at its first prediction.
 */
const MAX_ELEMENTS = 2 ** 28

/** Throws unless the file has the arrays that the layers need. Compares shapes only, reads no weights. */
export function checkWeights(
  layers: readonly Layer[],
  plans: ReadonlyMap<string, Plan>,
  weights: WeightStore,
): void {
  for (const layer of layers) checkArrays(layer, plans.get(layer.name)?.arrays ?? [], weights)
  for (const layer of layers) {
    const { shape } = plans.get(layer.name) ?? { shape: [] }
    if (elements(shape) <= MAX_ELEMENTS) continue
    throw layerError(
      layer,
      `an output of shape ${shapeText(shape)} is too large, the limit is ${MAX_ELEMENTS} numbers`,
    )
  }
}

function checkArrays(layer: Layer, expected: readonly ExpectedArray[], weights: WeightStore): void {
  const found = weights.arrays(ownerOf(layer))
  for (const [i, { role, shape }] of expected.entries()) {
    const array = found[i]
    if (!array) {
      throw layerError(
        layer,
        `its ${role} of shape ${shapeText(shape)} is missing: the layer has ${found.length} arrays, not ${expected.length}`,
      )
    }
    if (array.shape.join() === shape.join()) continue
    throw layerError(
      layer,
      `its ${role} must have the shape ${shapeText(shape)}; ${array.name} has ${shapeText(array.shape)}`,
    )
  }
  if (found.length > expected.length) throw surplus(layer, expected.length, found.length)
}

function surplus(layer: Layer, expected: number, found: number): PipelineError {
  return layerError(layer, `it has ${found} arrays of weights and needs ${expected}`)
}
