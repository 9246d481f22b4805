import type { Layer, LayerList } from '../models/networks/layer-list.ts'
import {
  axisOf,
  borders,
  flag,
  layerError,
  mustBeChannelsLast,
  notSupported,
  shapeText,
  wholeNumber,
  wholeNumbers,
} from './layer-config.ts'
import { isIdentity, isSupported, type SupportedLayer, unsupportedLayer } from './supported-layers.ts'
import { weightRoles } from './weight-roles.ts'
import { convolutionWindow, poolingWindow, slide } from './window.ts'

export type Shape = readonly number[]

export interface ExpectedArray {
  readonly role: string
  readonly shape: Shape
}

/** The shape of every layer's output, without the batch. Only computes sizes, allocates nothing. */
export function inferShapes(list: LayerList): ReadonlyMap<string, Shape> {
  // An unsupported class is reported before any other mistake.
  for (const layer of list.layers) if (!isSupported(layer.className)) throw unsupportedLayer(layer)
  const shapes = new Map<string, Shape>()
  for (const layer of list.layers) {
    if (shapes.has(layer.name)) throw layerError(layer, 'there are two layers of this name')
    if (layer.className === 'InputLayer' && shapes.size > 0) throw notSupported(layer, 'it is a second input')
    shapes.set(layer.name, outputShape(layer, inputShapes(layer, shapes), list.inputShape))
  }
  const last = list.layers.at(-1)
  if (last && !shapes.has(list.output)) {
    throw layerError(last, `the output must be one of the layers, and is '${list.output}'`)
  }
  return shapes
}

/** The arrays of weights that a layer must have, in Keras' order; most classes have none. */
export function expectedArrays(layer: Layer, inputShape: Shape): ExpectedArray[] {
  return weightRoles(layer).map((role) => ({ role, shape: arrayShape(layer, role, inputShape) }))
}

function inputShapes(layer: Layer, known: ReadonlyMap<string, Shape>): Shape[] {
  return layer.inputs.map((name) => {
    const shape = known.get(name)
    if (!shape) throw layerError(layer, `its input '${name}' is not a layer that comes before it`)
    return shape
  })
}

function outputShape(layer: Layer, inputs: readonly Shape[], networkInput: Shape): Shape {
  if (layer.className === 'InputLayer') return checked(layer, networkInput)
  const [first] = inputs
  if (!first) throw layerError(layer, 'it has no input')
  const merge = MERGES.get(layer.className)
  if (merge) return checked(layer, merge(layer, inputs))
  if (inputs.length > 1) throw layerError(layer, `it has ${inputs.length} inputs and should have one`)
  const rule = isIdentity(layer.className) ? unchanged : RULES.get(layer.className)
  if (!rule) throw unsupportedLayer(layer)
  return checked(layer, rule(layer, first))
}

type Rule = (layer: Layer, input: Shape) => Shape

const unchanged: Rule = (_, input) => input

const RULES: ReadonlyMap<string, Rule> = new Map<SupportedLayer, Rule>([
  ['Activation', unchanged],
  ['ELU', unchanged],
  ['LeakyReLU', unchanged],
  ['ReLU', unchanged],
  ['Rescaling', unchanged],
  ['Softmax', unchanged],
  ['BatchNormalization', normalized],
  ['Conv2D', convolved],
  ['DepthwiseConv2D', depthwiseConvolved],
  ['SeparableConv2D', convolved],
  ['MaxPooling2D', pooled],
  ['AveragePooling2D', pooled],
  ['GlobalAveragePooling2D', globallyPooled],
  ['GlobalMaxPooling2D', globallyPooled],
  ['ZeroPadding2D', padded],
  ['Cropping2D', cropped],
  ['Dense', (layer, input) => [...input.slice(0, -1), wholeNumber(layer, 'units', 1)]],
  ['Flatten', flattened],
  ['Reshape', reshaped],
  ['Permute', permuted],
])

const MERGES: ReadonlyMap<string, (layer: Layer, inputs: readonly Shape[]) => Shape> = new Map([
  ...(['Add', 'Average', 'Maximum', 'Minimum', 'Multiply', 'Subtract'] as const).map(
    (name) =>
      [
        name,
        (layer: Layer, inputs: readonly Shape[]) => inputs.reduce((a, b) => broadcast(layer, a, b)),
      ] as const,
  ),
  ['Concatenate', concatenated] as const,
])

function normalized(layer: Layer, input: Shape): Shape {
  if (axisOf(layer, input.length) !== input.length - 1)
    throw notSupported(layer, 'it must normalize the last axis')
  return input
}

function convolved(layer: Layer, input: Shape): Shape {
  const filters = wholeNumber(layer, 'filters', 1)
  const channels = channelsOf(layer, input)
  const groups = layer.className === 'Conv2D' ? wholeNumber(layer, 'groups', 1, 1) : 1
  if (channels % groups !== 0 || filters % groups !== 0) {
    throw layerError(
      layer,
      `groups must divide ${channels} channels and ${filters} filters, and is ${groups}`,
    )
  }
  return [...slide(layer, convolutionWindow(layer), input), filters]
}

function depthwiseConvolved(layer: Layer, input: Shape): Shape {
  const channels = channelsOf(layer, input) * wholeNumber(layer, 'depth_multiplier', 1, 1)
  return [...slide(layer, convolutionWindow(layer), input), channels]
}

function pooled(layer: Layer, input: Shape): Shape {
  return [...slide(layer, poolingWindow(layer), input), channelsOf(layer, input)]
}

function globallyPooled(layer: Layer, input: Shape): Shape {
  const channels = channelsOf(layer, input)
  return flag(layer, 'keepdims', false) ? [1, 1, channels] : [channels]
}

function padded(layer: Layer, input: Shape): Shape {
  const channels = channelsOf(layer, input)
  const { top, bottom, left, right } = borders(layer, 'padding')
  return [(input[0] ?? 0) + top + bottom, (input[1] ?? 0) + left + right, channels]
}

function cropped(layer: Layer, input: Shape): Shape {
  const channels = channelsOf(layer, input)
  const { top, bottom, left, right } = borders(layer, 'cropping')
  const size = [(input[0] ?? 0) - top - bottom, (input[1] ?? 0) - left - right]
  if (size.some((length) => length < 1))
    throw layerError(layer, `it would leave no pixel of an input of shape ${shapeText(input)}`)
  return [...size, channels]
}

function flattened(layer: Layer, input: Shape): Shape {
  mustBeChannelsLast(layer)
  return [elements(input)]
}

function reshaped(layer: Layer, input: Shape): Shape {
  const target = wholeNumbers(layer, 'target_shape', -1)
  const known = elements(target.filter((size) => size !== -1))
  const shape = target.map((size) => (size === -1 ? elements(input) / known : size))
  const open = target.length - target.filter((size) => size !== -1).length
  if (open <= 1 && elements(shape) === elements(input) && shape.every((size) => Number.isSafeInteger(size)))
    return shape
  throw layerError(layer, `an input of shape ${shapeText(input)} cannot be reshaped to ${shapeText(target)}`)
}

function permuted(layer: Layer, input: Shape): Shape {
  const axes = wholeNumbers(layer, 'dims', 1)
  if ([...axes].sort().join() !== input.map((_, axis) => axis + 1).join()) {
    throw layerError(layer, `dims ${shapeText(axes)} do not permute an input of shape ${shapeText(input)}`)
  }
  return axes.map((axis) => input[axis - 1] ?? 0)
}

/** Broadcasts like numpy: the shorter shape gets axes of size 1 in front. */
function broadcast(layer: Layer, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length)
  const from = (shape: Shape, axis: number) => shape[axis - rank + shape.length] ?? 1
  return Array.from({ length: rank }, (_, axis) => {
    const [one, other] = [from(a, axis), from(b, axis)]
    if (one === other || other === 1) return one
    if (one === 1) return other
    throw layerError(layer, `inputs of shapes ${shapeText(a)} and ${shapeText(b)} do not fit together`)
  })
}

function concatenated(layer: Layer, inputs: readonly Shape[]): Shape {
  return inputs.reduce((a, b) => {
    const axis = axisOf(layer, a.length)
    if (a.length !== b.length || a.some((size, i) => i !== axis && size !== b[i])) {
      throw layerError(
        layer,
        `inputs of shapes ${shapeText(a)} and ${shapeText(b)} cannot be joined at axis ${axis + 1}`,
      )
    }
    return a.map((size, i) => (i === axis ? size + (b[i] ?? 0) : size))
  })
}

function arrayShape(layer: Layer, role: string, input: Shape): Shape {
  const channels = input.at(-1) ?? 0
  const { className } = layer
  if (className === 'BatchNormalization') return [channels]
  if (className === 'Dense') {
    const units = wholeNumber(layer, 'units', 1)
    return role === 'bias' ? [units] : [channels, units]
  }
  const multiplier = className === 'Conv2D' ? 1 : wholeNumber(layer, 'depth_multiplier', 1, 1)
  const filters = className === 'DepthwiseConv2D' ? channels * multiplier : wholeNumber(layer, 'filters', 1)
  if (role === 'bias') return [filters]
  if (role === 'pointwise_kernel') return [1, 1, channels * multiplier, filters]
  const { size } = convolutionWindow(layer)
  if (role === 'depthwise_kernel') return [...size, channels, multiplier]
  return [...size, channels / wholeNumber(layer, 'groups', 1, 1), filters]
}

function channelsOf(layer: Layer, input: Shape): number {
  mustBeChannelsLast(layer)
  if (input.length !== 3) {
    throw layerError(
      layer,
      `it needs an input of shape [height, width, channels] and gets ${shapeText(input)}`,
    )
  }
  return input[2] ?? 0
}

const elements = (shape: Shape): number => shape.reduce((product, size) => product * size, 1)

/** Throws unless the number of elements is a safe integer, so that later products of sizes are exact. */
function checked(layer: Layer, shape: Shape): Shape {
  if (shape.length === 0 || !shape.every((size) => Number.isSafeInteger(size) && size > 0)) {
    throw layerError(layer, `its output would have the shape ${shapeText(shape)}`)
  }
  if (!Number.isSafeInteger(elements(shape)))
    throw layerError(layer, `an output of shape ${shapeText(shape)} is too large`)
  return shape
}
