import type { OnnxGraph } from './onnx-graph.ts'
import type { Shape } from './shape.ts'
import { anyOrder, plain, planes, unflattened, type Value } from './value.ts'

type Order = 'plain' | 'planes'

/** Applies an operation on single numbers, in the order in which the input is. */
export function mapped(
  graph: OnnxGraph,
  value: Value,
  nonNegative: boolean,
  apply: (x: string, order: Order) => string,
): Value {
  const { order, tensor } = anyOrder(graph, value)
  const { shape, flattened, unbatched } = value
  return {
    shape,
    nonNegative,
    tensors: { [order]: apply(tensor, order) },
    ...(order === 'planes' && flattened ? { flattened } : {}),
    ...(unbatched ? { unbatched } : {}),
  }
}

/**
 * Applies an operation on the numbers of several inputs at the same places. Inputs with a batch must have as many axes
 * as the result; constants are laid out to fit.
 */
export function combined(
  graph: OnnxGraph,
  values: readonly Value[],
  { shape, batched = true }: { shape: Shape; batched?: boolean },
  apply: (tensors: string[]) => string,
  nonNegative = false,
): Value {
  const inputs = values.map((value) => unflattened(graph, value))
  const order = shape.length === 3 && batched ? bestOrder(inputs) : 'plain'
  const tensor = apply(inputs.map((value) => inOrder(graph, value, order)))
  return { shape, nonNegative, tensors: { [order]: tensor }, ...(batched ? {} : { unbatched: true }) }
}

/** The order that most inputs have already. A tensor that is no known constant has no batch to be reordered after. */
function bestOrder(inputs: readonly Value[]): Order {
  if (inputs.some((value) => value.unbatched && !value.constant)) return 'plain'
  const images = inputs.filter((value) => !value.unbatched)
  const as = (order: Order) => images.filter((value) => value.tensors[order] !== undefined).length
  return as('plain') > as('planes') || images.length === 0 ? 'plain' : 'planes'
}

function inOrder(graph: OnnxGraph, value: Value, order: Order): string {
  if (!value.unbatched) return order === 'planes' ? planes(graph, value) : plain(graph, value)
  if (order === 'plain' || !value.constant) return value.tensors.plain ?? ''
  if (value.constant.length === 1) return graph.floats(value.constant, [])
  const [batch = 1, height = 1, width = 1, channels = 1] = [...Array(4).fill(1), ...value.shape].slice(-4)
  return graph.floats(toPlanes(value.constant, [height, width, channels]), [batch, channels, height, width])
}

/** Turns an image in Keras' order (height, width, channels) into planes. */
export function toPlanes(numbers: ArrayLike<number>, [height = 1, width = 1, channels = 1]: Shape): number[] {
  const area = height * width
  return Array.from({ length: numbers.length }, (_, i) => {
    const [channel, place] = [Math.floor(i / area) % channels, i % area]
    return numbers[place * channels + channel] ?? 0
  })
}

/** A tensor of numbers that broadcasts against a value of `shape` along some axes, in either order. */
export function alongAxes(
  graph: OnnxGraph,
  numbers: ArrayLike<number>,
  { shape, axes, order }: { shape: Shape; axes: readonly number[]; order: Order },
): string {
  if (numbers.length === 1) return graph.floats(Array.from(numbers), [])
  const sizes = shape.map((size, axis) => (axes.includes(axis) ? size : 1))
  if (order === 'plain' || shape.length !== 3) return graph.floats(Array.from(numbers), sizes)
  const [height = 1, width = 1, channels = 1] = sizes
  return graph.floats(toPlanes(numbers, sizes), [channels, height, width])
}
