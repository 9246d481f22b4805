import type { Layer } from '../models/networks/layer-list.ts'
import { isSamePadding, layerError, pair, shapeText } from './layer-config.ts'

/** A window that slides over an image. All pairs are [vertical, horizontal]. */
export interface Window {
  readonly size: readonly [number, number]
  readonly strides: readonly [number, number]
  readonly dilations: readonly [number, number]
  readonly same: boolean
}

export function convolutionWindow(layer: Layer): Window {
  return {
    size: pair(layer, 'kernel_size', 1),
    strides: pair(layer, 'strides', 1, 1),
    dilations: pair(layer, 'dilation_rate', 1, 1),
    same: isSamePadding(layer),
  }
}

export function poolingWindow(layer: Layer): Window {
  const size = pair(layer, 'pool_size', 1, 2)
  const strides = layer.config.strides == null ? size : pair(layer, 'strides', 1)
  return { size, strides, dilations: [1, 1], same: isSamePadding(layer) }
}

/** Height and width of the output. */
export function slide(layer: Layer, window: Window, input: readonly number[]): [number, number] {
  const along = (axis: 0 | 1): number => {
    const length = input[axis] ?? 0
    const stride = window.strides[axis]
    if (window.same) return Math.ceil(length / stride)
    return Math.floor((length - span(window, axis)) / stride) + 1
  }
  const output: [number, number] = [along(0), along(1)]
  if (output.every((size) => size > 0)) return output
  throw layerError(
    layer,
    `a window of ${shapeText(window.size)} does not fit into an input of shape ${shapeText(input)}`,
  )
}

/** The number of zeros that Keras' 'same' adds before and after an axis. An odd one is added after. */
export function samePadding(window: Window, axis: 0 | 1, length: number): [before: number, after: number] {
  if (!window.same) return [0, 0]
  const stride = window.strides[axis]
  const total = Math.max((Math.ceil(length / stride) - 1) * stride + span(window, axis) - length, 0)
  const before = Math.floor(total / 2)
  return [before, total - before]
}

const span = ({ size, dilations }: Window, axis: 0 | 1): number => (size[axis] - 1) * dilations[axis] + 1
