import type { Borders } from './layer-config.ts'
import type { OnnxGraph } from './onnx-graph.ts'
import type { Shape } from './shapes.ts'

/**
 * What a layer hands on. Keras keeps images as (height, width, channels), ONNX Runtime computes on planes (channels,
 * height, width): a value is made in one of the two orders and gets the other only when a layer asks for it.
 */
export interface Value {
  /** As Keras sees it, without the batch. */
  readonly shape: Shape
  readonly tensors: { plain?: string; planes?: string }
  /** The image that this vector is, where `planes` holds one that was flattened channel by channel. */
  readonly flattened?: Shape
  /** Zeros around another value that nobody has asked for yet: a convolution adds them by itself. */
  readonly padded?: { readonly input: Value; readonly by: Borders }
  /** Nothing in it is below zero, so that zeros around it are no larger than what is inside. */
  readonly nonNegative: boolean
}

/** The tensor in Keras' own order. */
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

/** An image as planes; a flattened image in the order of its planes. */
export function planes(graph: OnnxGraph, { tensors, padded, shape }: Value): string {
  if (tensors.planes === undefined && padded)
    tensors.planes = pad(graph, planes(graph, padded.input), padded.by)
  tensors.planes ??= plainToPlanes(graph, tensors.plain ?? '', shape)
  return tensors.planes
}

/** In whichever order it is at hand, for what treats every number alike. */
export function anyOrder(graph: OnnxGraph, value: Value): { order: 'plain' | 'planes'; tensor: string } {
  if (value.tensors.plain !== undefined) return { order: 'plain', tensor: value.tensors.plain }
  return { order: 'planes', tensor: planes(graph, value) }
}

/** The numbers of an image in a row, in Keras' order where that costs nothing. */
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

/** With one pixel, or one channel, the two orders are the same numbers in the same places. */
function isSameInBothOrders([height = 1, width = 1, channels = 1]: Shape): boolean {
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
