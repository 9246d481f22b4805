import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core'
import type { Shape } from '../../graph/kind.ts'
import { wholeNumber } from '../../graph/layer-config.ts'
import { convolutionWindow, poolingWindow, samePadding, type Window } from '../../graph/window.ts'
import { activationOf } from './tfjs-activations.ts'
import type { Ingredients, Unary } from './tfjs-operation.ts'

/* The layers whose window slides over an image. */

type Pad = 'same' | 'valid'

export function convolution(its: Ingredients): Unary {
  const { tf, layer } = its
  const [kernel, bias] = its.weights as Tensor4D[]
  const window = convolutionWindow(layer)
  const groups = wholeNumber(layer, 'groups', 1, 1)
  const { strides, dilations } = plainly(window)
  const slide = sliding(its, window, (x, pad) => {
    const filters = kernel as Tensor4D
    if (groups === 1) return tf.conv2d(x, filters, strides, pad, 'NHWC', dilations)
    // The library has no grouped convolution: each group's channels are convolved with that group's filters.
    const parts: Tensor4D[] = tf.split(filters, groups, 3)
    const convolved = tf.split<Tensor4D>(x, groups, 3).map((part, i) => {
      return tf.conv2d(part, parts[i] as Tensor4D, strides, pad, 'NHWC', dilations)
    })
    return tf.concat(convolved, 3)
  })
  return finishing(its, slide, bias)
}

export function depthwiseConvolution(its: Ingredients): Unary {
  const [kernel, bias] = its.weights as Tensor4D[]
  return finishing(its, depthwise(its, kernel as Tensor4D), bias)
}

export function separableConvolution(its: Ingredients): Unary {
  const [kernel, pointwise, bias] = its.weights as Tensor4D[]
  const slide = depthwise(its, kernel as Tensor4D)
  return finishing(its, (x) => its.tf.conv2d(slide(x) as Tensor4D, pointwise as Tensor4D, 1, 'valid'), bias)
}

export function averagePooling(its: Ingredients): Unary {
  const window = poolingWindow(its.layer)
  const { size, strides } = plainly(window)
  // The library's 'same' divides by the elements inside the image, as Keras does; padded zeros would be counted.
  return (x) => its.tf.avgPool(x as Tensor4D, size, strides, window.same ? 'same' : 'valid')
}

export function maxPooling(its: Ingredients): Unary {
  const window = poolingWindow(its.layer)
  const { size, strides } = plainly(window)
  return (x) => its.tf.maxPool(x as Tensor4D, size, strides, window.same ? 'same' : 'valid')
}

function depthwise(its: Ingredients, kernel: Tensor4D): Unary {
  const window = convolutionWindow(its.layer)
  const { strides, dilations } = plainly(window)
  return sliding(its, window, (x, pad) => its.tf.depthwiseConv2d(x, kernel, strides, pad, 'NHWC', dilations))
}

function finishing({ tf, layer }: Ingredients, run: Unary, bias: Tensor | undefined): Unary {
  const activation = activationOf(tf, layer)
  return (x) => activation(bias ? tf.add(run(x), bias) : run(x))
}

/**
 * Convolves with Keras' padding. The library's own 'same' is used unless a stride is longer than the window (1 × 1 with
 * stride 2, as in ResNet's shortcuts): the WebAssembly kernels then take a negative padding for a very large one and
 * answer with wrong numbers, without an error.
 */
function sliding(
  { tf, inputs }: Ingredients,
  window: Window,
  convolve: (x: Tensor4D, pad: Pad) => Tensor,
): Unary {
  const [height = 0, width = 0] = inputs[0] ?? ([] as Shape)
  const vertical = samePadding(window, 0, height)
  const horizontal = samePadding(window, 1, width)
  if ([...vertical, ...horizontal].every((zeros) => zeros === 0))
    return (x) => convolve(x as Tensor4D, 'valid')
  if (!isLeapt(window)) return (x) => convolve(x as Tensor4D, 'same')
  return (x) => convolve(tf.pad4d(x as Tensor4D, [[0, 0], vertical, horizontal, [0, 0]]), 'valid')
}

function isLeapt({ size, strides, dilations }: Window): boolean {
  return ([0, 1] as const).some((axis) => strides[axis] > (size[axis] - 1) * dilations[axis] + 1)
}

/** Copies: the library's types do not take read-only arrays. */
function plainly({
  size,
  strides,
  dilations,
}: Window): Record<'size' | 'strides' | 'dilations', [number, number]> {
  return { size: [...size], strides: [...strides], dilations: [...dilations] }
}
