import { activate, activationName, exponentialRectify, leakyRectify, rectify } from './activations.ts'
import { type Emission, type Emit, inputOf } from './emission.ts'
import { emitConvolution, emitDepthwiseConvolution, emitSeparableConvolution } from './emit-convolution.ts'
import { emitDense } from './emit-dense.ts'
import { emitConcatenation, emitMerge } from './emit-merge.ts'
import { emitNormalization } from './emit-normalization.ts'
import { emitGlobalPooling, emitPooling } from './emit-pooling.ts'
import {
  emitCropping,
  emitFlatten,
  emitPadding,
  emitPermutation,
  emitRescaling,
  emitReshape,
} from './emit-shape.ts'
import { axisOf, notSupported } from './layer-config.ts'
import { isIdentity, type SupportedLayer, unsupportedLayer } from './supported-layers.ts'
import type { Value } from './value.ts'

const LAYERS: ReadonlyMap<string, Emit> = new Map<SupportedLayer, Emit>([
  ['Activation', (emission) => activate(emission.graph, inputOf(emission), activationName(emission.layer))],
  ['Softmax', emitSoftmax],
  ['ELU', (emission) => exponentialRectify(emission.graph, emission.layer, inputOf(emission))],
  ['LeakyReLU', (emission) => leakyRectify(emission.graph, emission.layer, inputOf(emission))],
  ['ReLU', (emission) => rectify(emission.graph, emission.layer, inputOf(emission))],
  ['BatchNormalization', emitNormalization],
  ['Conv2D', emitConvolution],
  ['DepthwiseConv2D', emitDepthwiseConvolution],
  ['SeparableConv2D', emitSeparableConvolution],
  ['Dense', emitDense],
  ['AveragePooling2D', emitPooling],
  ['MaxPooling2D', emitPooling],
  ['GlobalAveragePooling2D', emitGlobalPooling],
  ['GlobalMaxPooling2D', emitGlobalPooling],
  ['ZeroPadding2D', emitPadding],
  ['Cropping2D', emitCropping],
  ['Flatten', emitFlatten],
  ['Reshape', emitReshape],
  ['Permute', emitPermutation],
  ['Rescaling', emitRescaling],
  ['Concatenate', emitConcatenation],
  ['Add', emitMerge],
  ['Average', emitMerge],
  ['Maximum', emitMerge],
  ['Minimum', emitMerge],
  ['Multiply', emitMerge],
  ['Subtract', emitMerge],
])

/** Adds one layer of any class to the graph. */
export function emitLayer(emission: Emission): Promise<Value> | Value {
  if (isIdentity(emission.layer.className)) return inputOf(emission)
  const emit = LAYERS.get(emission.layer.className)
  if (!emit) throw unsupportedLayer(emission.layer)
  return emit(emission)
}

function emitSoftmax(emission: Emission): Value {
  const input = inputOf(emission)
  const axis = axisOf(emission.layer, input.shape.length)
  if (axis !== input.shape.length - 1) throw notSupported(emission.layer, 'it must run along the last axis')
  return activate(emission.graph, input, 'softmax')
}
