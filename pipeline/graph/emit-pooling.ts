import { type Emission, inputOf } from './emission.ts'
import { flag } from './layer-config.ts'
import type { OnnxGraph } from './onnx-graph.ts'
import { planes, type Value } from './value.ts'
import { poolingWindow, samePadding } from './window.ts'

/** Max or average pooling. The average counts only pixels inside the image. */
export function emitPooling(emission: Emission): Value {
  const { graph, layer, shape } = emission
  const input = inputOf(emission)
  const window = poolingWindow(layer)
  const [top, bottom] = samePadding(window, 0, input.shape[0] ?? 1)
  const [left, right] = samePadding(window, 1, input.shape[1] ?? 1)
  const attributes = { kernel_shape: window.size, strides: window.strides }
  const { nonNegative } = input
  if (layer.className === 'AveragePooling2D') {
    const pads = [top, left, bottom, right]
    const tensor = graph.node('AveragePool', [planes(graph, input)], {
      ...attributes,
      pads,
      count_include_pad: 0,
    })
    return { shape, nonNegative, tensors: { planes: tensor } }
  }
  const along = zerosThatDoNotMatter(input, window.size)
  const by = along?.by ?? { top: 0, bottom: 0, left: 0, right: 0 }
  const pads = [top + by.top, left + by.left, bottom + by.bottom, right + by.right]
  const source = along ? planes(graph, along.input) : guarded(graph, input)
  return { shape, nonNegative, tensors: { planes: graph.node('MaxPool', [source], { ...attributes, pads }) } }
}

export function emitGlobalPooling(emission: Emission): Value {
  const { graph, layer, shape } = emission
  const input = inputOf(emission)
  const op = layer.className === 'GlobalMaxPooling2D' ? 'GlobalMaxPool' : 'GlobalAveragePool'
  const pooled = graph.node(op, [planes(graph, input)])
  const { nonNegative } = input
  if (flag(layer, 'keepdims', false)) return { shape, nonNegative, tensors: { planes: pooled } }
  return { shape, nonNegative, tensors: { plain: graph.node('Flatten', [pooled], { axis: 1 }) } }
}

/**
 * ONNX Runtime fuses a zero padding with a MaxPool right after it, although MaxPool pads with minus infinity. A Max node
 * in between changes no number and prevents that.
 */
function guarded(graph: OnnxGraph, input: Value): string {
  const tensor = planes(graph, input)
  return input.padded ? graph.node('Max', [tensor, graph.floats([LOWEST], [])]) : tensor
}

/** The smallest finite float32. */
const LOWEST = -3.4028234663852886e38

/**
 * MaxPool pads with minus infinity, not with zero. Where no value is below zero and every window contains a part of the
 * image, the result is the same, and MaxPool can do a preceding zero padding.
 */
function zerosThatDoNotMatter({ padded, nonNegative }: Value, [height, width]: readonly [number, number]) {
  if (!padded || !nonNegative) return undefined
  const { top, bottom, left, right } = padded.by
  // At most half a window, so that together with the padding of 'same' the padding is still narrower than a window.
  return 2 * Math.max(top, bottom) < height && 2 * Math.max(left, right) < width ? padded : undefined
}
