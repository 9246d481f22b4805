import type { Borders } from './layer-config.ts'
import type { OnnxGraph } from './onnx-graph.ts'
import type { Shape } from './shape.ts'

/**
 * The output of a layer. Keras orders images as (height, width, channels), called plain here; ONNX Runtime computes on
 * planes (channels, height, width). A value is made in one order and converted only when a layer needs the other.
 */
export interface Value {
  /** In Keras' order, without the batch. */
  readonly shape: Shape
  readonly tensors: { plain?: string; planes?: string }
  /** The shape of the image before flattening, if this vector (in `tensors.planes`) was flattened channel by channel. */
  readonly flattened?: Shape
  /** A zero padding that has not been computed yet: a convolution can pad by itself. */
  readonly padded?: { readonly input: Value; readonly by: Borders }
  /** No number is below zero, so padding with zeros cannot change a maximum. */
  readonly nonNegative: boolean
  /** The same for every image: `shape` is then the whole shape, and the tensor is in `tensors.plain`. */
  readonly unbatched?: true
  /** The numbers, if they are known when the model is compiled. */
  readonly constant?: readonly number[]
}

/** A value in Keras' order. */
export function plainValue(shape: Shape, tensor: string, more: Partial<Value> = {}): Value {
  return { shape, nonNegative: false, tensors: { plain: tensor }, ...more }
}

/** A value in the order of planes. */
export function planesValue(shape: Shape, tensor: string, nonNegative = false): Value {
  return { shape, nonNegative, tensors: { planes: tensor } }
}

/** The same value without a trace of a flattened image, whose numbers would be in another order. */
export function unflattened(graph: OnnxGraph, value: Value): Value {
  if (!value.flattened) return value
  return plainValue(value.shape, plain(graph, value), { nonNegative: value.nonNegative })
}

/** The tensor in Keras' order. */
export function plain(graph: OnnxGraph, value: Value): string {
  const { tensors, shape, flattened } = value
  if (tensors.plain === undefined && flattened) {
    const image = planesToPlain(
      graph,
      graph.node('Reshape', [planes(graph, value), planesShape(graph, flattened)]),
      flattened,
    )
    tensors.plain = graph.node('Flatten', [image], { axis: 1 })
  }
  tensors.plain ??= planesToPlain(graph, planes(graph, value), shape)
  return tensors.plain
}

/** The tensor in the order of planes; for a flattened image, channel by channel. */
export function planes(graph: OnnxGraph, { tensors, padded, shape }: Value): string {
  if (tensors.planes === undefined && padded)
    tensors.planes = pad(graph, planes(graph, padded.input), padded.by)
  tensors.planes ??= plainToPlanes(graph, tensors.plain ?? '', shape)
  return tensors.planes
}

/** The tensor in the order that exists, for operations on single numbers. */
export function anyOrder(graph: OnnxGraph, value: Value): { order: 'plain' | 'planes'; tensor: string } {
  if (value.tensors.plain !== undefined) return { order: 'plain', tensor: value.tensors.plain }
  return { order: 'planes', tensor: planes(graph, value) }
}

/** Flattens an image: in Keras' order if that costs nothing, channel by channel otherwise. */
export function flatten(graph: OnnxGraph, value: Value, shape: Shape): Value {
  const { nonNegative } = value
  if (value.shape.length !== 3 || value.tensors.plain !== undefined || isSameInBothOrders(value.shape)) {
    const source =
      value.tensors.plain ?? (value.shape.length === 3 ? planes(graph, value) : plain(graph, value))
    return { shape, nonNegative, tensors: { plain: graph.node('Flatten', [source], { axis: 1 }) } }
  }
  const tensor = graph.node('Flatten', [planes(graph, value)], { axis: 1 })
  return { shape, nonNegative, tensors: { planes: tensor }, flattened: value.shape }
}

export function reshape(graph: OnnxGraph, value: Value, shape: Shape): Value {
  const source =
    value.shape.length === 3 && isSameInBothOrders(value.shape)
      ? anyOrder(graph, value).tensor
      : plain(graph, value)
  const tensor = graph.node('Reshape', [source, graph.integers([0, ...shape])])
  return { shape, nonNegative: value.nonNegative, tensors: { plain: tensor } }
}

/** With one pixel or one channel, both orders put the same numbers in the same places. */
export function isSameInBothOrders([height = 1, width = 1, channels = 1]: Shape): boolean {
  return height * width === 1 || channels === 1
}

function planesToPlain(graph: OnnxGraph, tensor: string, shape: Shape): string {
  if (isSameInBothOrders(shape)) return graph.node('Reshape', [tensor, graph.integers([0, ...shape])])
  return graph.node('Transpose', [tensor], { perm: [0, 2, 3, 1] })
}

function plainToPlanes(graph: OnnxGraph, tensor: string, shape: Shape): string {
  if (isSameInBothOrders(shape)) return graph.node('Reshape', [tensor, planesShape(graph, shape)])
  return graph.node('Transpose', [tensor], { perm: [0, 3, 1, 2] })
}

function planesShape(graph: OnnxGraph, [height = 1, width = 1, channels = 1]: Shape): string {
  return graph.integers([0, channels, height, width])
}

function pad(graph: OnnxGraph, tensor: string, { top, left, bottom, right }: Borders): string {
  return graph.node('Pad', [
    tensor,
    graph.integers([0, 0, top, left, 0, 0, bottom, right]),
    graph.floats([0], []),
  ])
}
