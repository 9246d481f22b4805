import type { PipelineError } from '../errors.ts'
import type { Layer } from '../models/networks/layer-list.ts'
import { layerError, shapeText } from './layer-config.ts'
import { expectedArrays, type Shape } from './shapes.ts'
import type { WeightStore } from './weight-store.ts'

/**
 * The most numbers that one image may become between two layers: 1 GiB of them. The largest map of VGG-16 has 3
 * million; a model that declares more than this would ask for the memory only when it is first run.
 */
const MAX_ELEMENTS = 2 ** 28

/** Whether the file has the arrays that the layers need. Nothing is read: only shapes are compared. */
export function checkWeights(
  layers: readonly Layer[],
  shapes: ReadonlyMap<string, Shape>,
  weights: WeightStore,
): void {
  for (const layer of layers) checkArrays(layer, shapes.get(layer.inputs[0] ?? '') ?? [], weights)
  for (const layer of layers) {
    const shape = shapes.get(layer.name) ?? []
    if (shape.reduce((product, size) => product * size, 1) <= MAX_ELEMENTS) continue
    throw layerError(layer, `an output of shape ${shapeText(shape)} is too large`)
  }
}

function checkArrays(layer: Layer, inputShape: Shape, weights: WeightStore): void {
  const expected = expectedArrays(layer, inputShape)
  const found = weights.arrays(layer.name)
  for (const [i, { role, shape }] of expected.entries()) {
    const array = found[i]
    if (!array) {
      throw layerError(
        layer,
        `its ${role} of shape ${shapeText(shape)} is missing: it has ${found.length} arrays, not ${expected.length}`,
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
