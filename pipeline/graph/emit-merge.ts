import type { Emission } from './emission.ts'
import { axisOf, layerError } from './layer-config.ts'
import { plain, planes, reshape, type Value } from './value.ts'

const OPERATORS: ReadonlyMap<string, string> = new Map([
  ['Add', 'Add'],
  ['Average', 'Add'],
  ['Maximum', 'Max'],
  ['Minimum', 'Min'],
  ['Multiply', 'Mul'],
  ['Subtract', 'Sub'],
])

/** Elementwise layers such as Add. An input with fewer axes gets axes of size 1 in front, as in Keras. */
export function emitMerge({ graph, layer, inputs, shape }: Emission): Value {
  const op = OPERATORS.get(layer.className) ?? ''
  if (layer.className === 'Subtract' && inputs.length !== 2)
    throw layerError(layer, `it has ${inputs.length} inputs, not 2`)
  const order = shape.length === 3 ? 'planes' : 'plain'
  const tensors = inputs.map((value) => {
    const missing = shape.length - value.shape.length
    const full =
      missing === 0 ? value : reshape(graph, value, [...Array<number>(missing).fill(1), ...value.shape])
    return order === 'planes' ? planes(graph, full) : plain(graph, full)
  })
  const merged = tensors.reduce((a, b) => graph.node(op, [a, b]))
  const tensor =
    layer.className === 'Average' ? graph.node('Div', [merged, graph.floats([inputs.length], [])]) : merged
  const nonNegative = layer.className !== 'Subtract' && inputs.every((value) => value.nonNegative)
  return { shape, nonNegative, tensors: { [order]: tensor } }
}

export function emitConcatenation({ graph, layer, inputs, shape }: Emission): Value {
  const nonNegative = inputs.every((value) => value.nonNegative)
  const axis = axisOf(layer, shape.length)
  if (shape.length !== 3) {
    const tensors = inputs.map((value) => plain(graph, value))
    return { shape, nonNegative, tensors: { plain: graph.node('Concat', tensors, { axis: axis + 1 }) } }
  }
  const tensors = inputs.map((value) => planes(graph, value))
  // In the order of planes, height, width and channels are axes 2, 3 and 1.
  return {
    shape,
    nonNegative,
    tensors: { planes: graph.node('Concat', tensors, { axis: [2, 3, 1][axis] ?? 1 }) },
  }
}
