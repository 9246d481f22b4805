import { activate, activationName } from './activations.ts'
import { type Emission, inputOf, readBias, readRequired } from './emission.ts'
import { type Borders, wholeNumber } from './layer-config.ts'
import type { Attributes } from './onnx-graph.ts'
import { planes, type Value } from './value.ts'
import { convolutionPieces } from './weight-layout.ts'
import { convolutionWindow, samePadding, type Window } from './window.ts'

export async function emitConvolution(emission: Emission): Promise<Value> {
  const { graph, layer, shape, affine } = emission
  const input = inputOf(emission)
  const window = convolutionWindow(layer)
  const group = wholeNumber(layer, 'groups', 1, 1)
  const inputs = (input.shape[2] ?? 1) / group
  const outputs = shape[2] ?? 1
  const [height, width] = window.size
  const kernel = await readRequired(emission, 'kernel')
  const pieces = convolutionPieces(kernel, { area: height * width, inputs, outputs }, affine?.factors)
  const weights = await graph.weights([outputs, inputs, height, width], pieces)
  return convolve(emission, weights, { window, group, bias: await readBias(emission) })
}

export async function emitDepthwiseConvolution(emission: Emission): Promise<Value> {
  const { layer, affine } = emission
  const window = convolutionWindow(layer)
  const weights = await depthwiseWeights(emission, window, affine?.factors)
  const group = inputOf(emission).shape[2] ?? 1
  return convolve(emission, weights, { window, group, bias: await readBias(emission) })
}

/** A depthwise convolution without bias, then a 1 × 1 convolution. */
export async function emitSeparableConvolution(emission: Emission): Promise<Value> {
  const { graph, layer, shape, affine } = emission
  const input = inputOf(emission)
  const window = convolutionWindow(layer)
  const attributes = { ...geometry(window, input), group: input.shape[2] ?? 1 }
  const depthwise = await depthwiseWeights(emission, window)
  const between = graph.node('Conv', [source(emission, window), depthwise], attributes)
  const inputs = (input.shape[2] ?? 1) * wholeNumber(layer, 'depth_multiplier', 1, 1)
  const outputs = shape[2] ?? 1
  const kernel = await readRequired(emission, 'pointwise_kernel')
  const pieces = convolutionPieces(kernel, { area: 1, inputs, outputs }, affine?.factors)
  const pointwise = await graph.weights([outputs, inputs, 1, 1], pieces)
  return finish(emission, [between, pointwise], await readBias(emission), { kernel_shape: [1, 1] })
}

async function depthwiseWeights(emission: Emission, window: Window, factors?: Float64Array): Promise<string> {
  const channels = inputOf(emission).shape[2] ?? 1
  const outputs = channels * wholeNumber(emission.layer, 'depth_multiplier', 1, 1)
  const [height, width] = window.size
  const kernel = await readRequired(emission, 'depthwise_kernel')
  const pieces = convolutionPieces(kernel, { area: height * width, inputs: 1, outputs }, factors)
  return emission.graph.weights([outputs, 1, height, width], pieces)
}

interface Convolution {
  readonly window: Window
  readonly group: number
  readonly bias: Float32Array | undefined
}

function convolve(emission: Emission, weights: string, { window, group, bias }: Convolution): Promise<Value> {
  const attributes = { ...geometry(window, inputOf(emission)), group }
  return finish(emission, [source(emission, window), weights], bias, attributes)
}

async function finish(
  { graph, layer, shape }: Emission,
  inputs: readonly string[],
  bias: Float32Array | undefined,
  attributes: Attributes,
): Promise<Value> {
  const biasInput = bias ? [await graph.weights([bias.length], [bias])] : []
  const tensor = graph.node('Conv', [...inputs, ...biasInput], attributes)
  return activate(graph, { shape, nonNegative: false, tensors: { planes: tensor } }, activationName(layer))
}

/** Lets the convolution do a preceding zero padding, unless the padding is so wide that a window could miss the image. */
function source({ graph, inputs: [input] }: Emission, window: Window): string {
  if (!input) return ''
  return planes(graph, takenAlong(window, input) ? (input.padded?.input ?? input) : input)
}

function geometry(window: Window, input: Value): Attributes {
  const [height = 1, width = 1] = input.shape
  const [top, bottom] = samePadding(window, 0, height)
  const [left, right] = samePadding(window, 1, width)
  const around = takenAlong(window, input) ?? NONE
  return {
    kernel_shape: window.size,
    strides: window.strides,
    dilations: window.dilations,
    pads: [top + around.top, left + around.left, bottom + around.bottom, right + around.right],
  }
}

function takenAlong({ size: [height, width] }: Window, { padded }: Value): Borders | undefined {
  if (!padded) return undefined
  const { top, bottom, left, right } = padded.by
  return Math.max(top, bottom) < height && Math.max(left, right) < width ? padded.by : undefined
}

const NONE: Borders = { top: 0, bottom: 0, left: 0, right: 0 }
