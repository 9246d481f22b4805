import { CONSTANT, type Layer, type LayerList, operationClass } from '../models/networks/layer-list.ts'

/**
 * MobileNetV3 computes hard_sigmoid with three operations, relu6(x + 3) · ⅙. The engine has one operator for this, which
 * is also merged into a convolution before it. The layers that are no longer needed stay in the list.
 */
export function withHardSigmoids(list: LayerList): LayerList {
  const byName = new Map(list.layers.map((layer) => [layer.name, layer]))
  const layers = list.layers.map((layer): Layer => {
    const x = hardSigmoidOf(layer, byName)
    return x === undefined
      ? layer
      : { name: layer.name, className: 'Activation', config: { activation: 'hard_sigmoid' }, inputs: [x] }
  })
  return { ...list, layers }
}

/** The input of the three operations, if this layer is the last of them. */
function hardSigmoidOf(layer: Layer, byName: ReadonlyMap<string, Layer>): string | undefined {
  const limited = byName.get(withNumber(layer, 'Multiply', 1 / 6, byName) ?? '')
  if (limited?.className !== 'ReLU') return undefined
  const { max_value, negative_slope, threshold } = limited.config
  if (max_value !== 6 || negative_slope || threshold) return undefined
  const sum = byName.get(limited.inputs[0] ?? '')
  return sum && withNumber(sum, 'Add', 3, byName)
}

/** The other input of an operation with a number; undefined for other layers. */
function withNumber(
  { className, inputs }: Layer,
  operation: 'Add' | 'Multiply',
  number: number,
  byName: ReadonlyMap<string, Layer>,
): string | undefined {
  if (className !== operationClass(operation) || inputs.length !== 2) return undefined
  const [place = -1, another] = [0, 1].filter((i) => isNumber(byName.get(inputs[i] ?? ''), number))
  return another === undefined ? inputs[1 - place] : undefined
}

/** Files of Keras 2 have ⅙ as a float32. */
function isNumber(layer: Layer | undefined, number: number): boolean {
  const value = layer?.className === CONSTANT ? [layer.config.value].flat() : []
  return value.length === 1 && typeof value[0] === 'number' && Math.fround(value[0]) === Math.fround(number)
}
