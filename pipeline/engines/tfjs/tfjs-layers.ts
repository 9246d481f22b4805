import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core'
import type { PipelineError } from '../../errors.ts'
import type { Shape } from '../../graph/kind.ts'
import { axisOf, borders, decimal, layerError, notSupported, wholeNumbers } from '../../graph/layer-config.ts'
import { isIdentity } from '../../graph/supported-layers.ts'
import type { Layer } from '../../models/networks/layer-list.ts'
import { activationOf, exponentialRectifier, leakyRectifier, rectifier } from './tfjs-activations.ts'
import type { Ingredients, Operation, Unary } from './tfjs-operation.ts'
import {
  averagePooling,
  convolution,
  depthwiseConvolution,
  maxPooling,
  separableConvolution,
} from './tfjs-windows.ts'

type Build = (ingredients: Ingredients) => Unary

/**
 * What a layer computes, in operations of the library's core, which every backend has. The layer's fields are read
 * here, not at each run, so that a wrong field is an error when the model is opened.
 */
export function operationOf(ingredients: Ingredients): Operation {
  const { tf, layer } = ingredients
  if (layer.config.data_format === 'channels_first') throw notInTfjs(layer, 'channels first')
  const merge = MERGES.get(layer.className)
  if (merge) return merge(ingredients)
  const build = isIdentity(layer.className) ? () => (x: Tensor) => tf.clone(x) : LAYERS.get(layer.className)
  if (!build) throw notInTfjs(layer, 'this class')
  const run = build(ingredients)
  return ([x]) => {
    if (x) return run(x)
    throw layerError(layer, 'it has no input')
  }
}

function notInTfjs(layer: Layer, what: string): PipelineError {
  return notSupported(layer, `the engine tfjs does not have ${what}; use ENGINE=onnx`)
}

const LAYERS: ReadonlyMap<string, Build> = new Map<string, Build>([
  ['Activation', ({ tf, layer }) => activationOf(tf, layer)],
  ['AveragePooling2D', averagePooling],
  ['BatchNormalization', batchNormalization],
  ['Conv2D', convolution],
  ['Cropping2D', cropping],
  ['Dense', dense],
  ['DepthwiseConv2D', depthwiseConvolution],
  ['ELU', ({ tf, layer }) => exponentialRectifier(tf, layer)],
  ['Flatten', reshaping],
  ['GlobalAveragePooling2D', (its) => globalPooling(its, (x) => its.tf.mean(x, [1, 2]))],
  ['GlobalMaxPooling2D', (its) => globalPooling(its, (x) => its.tf.max(x, [1, 2]))],
  ['LeakyReLU', ({ tf, layer }) => leakyRectifier(tf, layer)],
  ['MaxPooling2D', maxPooling],
  ['Permute', permutation],
  ['ReLU', ({ tf, layer }) => rectifier(tf, layer)],
  ['Rescaling', rescaling],
  ['Reshape', reshaping],
  ['SeparableConv2D', separableConvolution],
  ['Softmax', softmax],
  ['ZeroPadding2D', zeroPadding],
])

const MERGES: ReadonlyMap<string, (ingredients: Ingredients) => Operation> = new Map<
  string,
  (ingredients: Ingredients) => Operation
>([
  ['Add', (its) => merging(its, (a, b) => its.tf.add(a, b))],
  ['Average', average],
  ['Concatenate', concatenation],
  ['Maximum', (its) => merging(its, (a, b) => its.tf.maximum(a, b))],
  ['Minimum', (its) => merging(its, (a, b) => its.tf.minimum(a, b))],
  ['Multiply', (its) => merging(its, (a, b) => its.tf.mul(a, b))],
  ['Subtract', (its) => merging(its, (a, b) => its.tf.sub(a, b))],
])

/** Computed as Keras defines it; only the ONNX compiler folds a normalization into the layer before. */
function batchNormalization({ tf, layer, weights, output }: Ingredients): Unary {
  if (axisOf(layer, output.length) !== output.length - 1)
    throw notInTfjs(layer, 'normalizations along another axis than the last')
  const epsilon = decimal(layer, 'epsilon', 1e-3)
  const rest = [...weights]
  const gamma = layer.config.scale === false ? undefined : rest.shift()
  const beta = layer.config.center === false ? undefined : rest.shift()
  const [mean, variance] = rest as Tensor1D[]
  if (!mean || !variance) throw layerError(layer, 'its weights are incomplete')
  return (x) => tf.batchNorm(x, mean, variance, beta as Tensor1D, gamma as Tensor1D, epsilon)
}

function dense({ tf, layer, weights: [kernel, bias], output }: Ingredients): Unary {
  const activation = activationOf(tf, layer)
  // An input with several axes is multiplied along the last one.
  return (x) => {
    const rows = tf.reshape(x, [-1, kernel?.shape[0] ?? 0])
    const product = tf.matMul(rows as Tensor2D, kernel as Tensor2D)
    return activation(tf.reshape(bias ? tf.add(product, bias) : product, batchOf(x, output)))
  }
}

function globalPooling({ tf, output }: Ingredients, pool: Unary): Unary {
  return (x) => tf.reshape(pool(x), batchOf(x, output))
}

function reshaping({ tf, output }: Ingredients): Unary {
  return (x) => tf.reshape(x, batchOf(x, output))
}

function permutation({ tf, layer }: Ingredients): Unary {
  const axes = [0, ...wholeNumbers(layer, 'dims', 1)]
  return (x) => tf.transpose(x, axes)
}

function zeroPadding({ tf, layer }: Ingredients): Unary {
  const { top, bottom, left, right } = borders(layer, 'padding')
  return (x) =>
    tf.pad4d(x as Tensor4D, [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ])
}

function cropping({ tf, layer, output }: Ingredients): Unary {
  const { top, left } = borders(layer, 'cropping')
  return (x) => tf.slice(x, [0, top, left, 0], batchOf(x, output))
}

function softmax({ tf, layer, output }: Ingredients): Unary {
  if (axisOf(layer, output.length) === output.length - 1) return (x) => tf.softmax(x)
  throw notInTfjs(layer, 'a softmax along another axis than the last')
}

/** x · scale + offset. Scale and offset are each one number, or one number for each channel. */
function rescaling({ tf, layer, output }: Ingredients): Unary {
  const numbers = (field: string, fallback: number): number | number[] => {
    const value = layer.config[field]
    if (!Array.isArray(value)) return decimal(layer, field, fallback)
    const channels = output.at(-1) ?? 0
    if (value.length === channels && value.every((item) => typeof item === 'number')) return value
    throw layerError(layer, `${field} must be one number or ${channels} numbers`)
  }
  const [scale, offset] = [numbers('scale', 1), numbers('offset', 0)]
  return (x) => tf.add(tf.mul(x, scale), offset)
}

function merging({ tf, output }: Ingredients, combine: (a: Tensor, b: Tensor) => Tensor): Operation {
  // A shorter shape is filled up with axes of 1 after the batch; the library would put them before the batch.
  const level: Unary = (x) => {
    const [n = 0, ...shape] = x.shape
    return tf.reshape(x, [n, ...Array<number>(output.length - shape.length).fill(1), ...shape])
  }
  return (inputs) => inputs.map(level).reduce(combine)
}

function average(its: Ingredients): Operation {
  const sum = merging(its, (a, b) => its.tf.add(a, b))
  return (inputs) => its.tf.div(sum(inputs), inputs.length)
}

function concatenation({ tf, layer, output }: Ingredients): Operation {
  const axis = axisOf(layer, output.length) + 1
  return (inputs) => tf.concat([...inputs], axis)
}

/** The classes that this engine has, apart from those that act only in training. */
export const TFJS_LAYERS: readonly string[] = [...LAYERS.keys(), ...MERGES.keys()]

const batchOf = (x: Tensor, shape: Shape): number[] => [x.shape[0] ?? 0, ...shape]
