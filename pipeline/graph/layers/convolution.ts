import type { Layer } from '../../models/networks/layer-list.ts'
import type { Emission, ExpectedArray, Kind, Operand, Plan, Read } from '../kind.ts'
import { kind, readRequired } from '../kind.ts'
import { type Borders, layerError, shapeText } from '../layer-config.ts'
import type { Attributes, OnnxGraph } from '../onnx-graph.ts'
import { flag, only, pair, whole, word } from '../options.ts'
import { plain, plainValue, planes, planesValue, type Value } from '../value.ts'
import { convolutionPieces } from '../weight-layout.ts'
import { samePadding, slide, type Window } from '../window.ts'
import { winograd } from '../winograd/emit.ts'
import { type Activation, activation } from './activation.ts'
import { asOneRow, dataFormat, inFormat } from './data-format.ts'

const shared = { data_format: dataFormat, use_bias: flag(true), activation }

const window2d = {
  kernel_size: pair(1),
  strides: pair(1, 1),
  dilation_rate: pair(1, 1),
  padding: word('valid', 'same'),
}

const window1d = {
  kernel_size: single(1),
  strides: single(1, 1),
  dilation_rate: single(1, 1),
}

/** One number, which may be in a list, as a pair for an image of one row. */
function single(least: number, fallback?: number) {
  const read = whole(least, fallback)
  return (layer: Layer, field: string): [number, number] => {
    const value = layer.config[field]
    const one = Array.isArray(value) && value.length === 1 ? (value[0] as unknown) : value
    return [1, read({ ...layer, config: { ...layer.config, [field]: one } }, field)]
  }
}

interface WindowOptions {
  readonly kernel_size: readonly [number, number]
  readonly strides: readonly [number, number]
  readonly dilation_rate: readonly [number, number]
  readonly padding: string
}

const windowOf = ({
  kernel_size: size,
  strides,
  dilation_rate: dilations,
  padding,
}: WindowOptions): Window => ({
  size,
  strides,
  dilations,
  same: padding === 'same',
})

interface Common extends WindowOptions {
  readonly use_bias: boolean
  readonly activation: Activation
}

const conv2d = kind({ ...shared, ...window2d, filters: whole(1), groups: whole(1, 1) }, (o, [x], layer) =>
  inFormat(o.data_format, x, (input) => planConvolution(o, input, layer)),
)

const conv1d = kind(
  {
    ...shared,
    ...window1d,
    padding: word('valid', 'same', 'causal'),
    filters: whole(1),
    groups: whole(1, 1),
  },
  (o, [x], layer) =>
    inFormat(o.data_format, x, (input) =>
      asOneRow(sequence(layer, input), (row) => planConvolution(o, row, layer)),
    ),
)

const oneGroup = only(1, 'every channel is a group of its own')

const depthwise = { depth_multiplier: whole(1, 1) }

const depthwiseConv2d = kind(
  // Keras 2 writes `groups: 1`.
  { ...shared, ...window2d, ...depthwise, groups: oneGroup },
  (o, [x], layer) => inFormat(o.data_format, x, (input) => planDepthwise(o, input, layer)),
)

const depthwiseConv1d = kind(
  { ...shared, ...window1d, ...depthwise, padding: word('valid', 'same'), groups: oneGroup },
  (o, [x], layer) =>
    inFormat(o.data_format, x, (input) =>
      asOneRow(sequence(layer, input), (row) => planDepthwise(o, row, layer)),
    ),
)

const separableConv2d = kind(
  { ...shared, ...window2d, ...depthwise, filters: whole(1), groups: oneGroup },
  (o, [x], layer) => inFormat(o.data_format, x, (input) => planSeparable(o, input, layer)),
)

const separableConv1d = kind(
  {
    ...shared,
    ...window1d,
    ...depthwise,
    padding: word('valid', 'same', 'causal'),
    filters: whole(1),
    groups: oneGroup,
  },
  (o, [x], layer) =>
    inFormat(o.data_format, x, (input) =>
      asOneRow(sequence(layer, input), (row) => planSeparable(o, row, layer)),
    ),
)

export const CONVOLUTIONS: readonly (readonly [string, Kind])[] = [
  ['Conv1D', conv1d],
  ['Conv2D', conv2d],
  ['DepthwiseConv1D', depthwiseConv1d],
  ['DepthwiseConv2D', depthwiseConv2d],
  ['SeparableConv1D', separableConv1d],
  ['SeparableConv2D', separableConv2d],
]

function planConvolution(o: Common & { filters: number; groups: number }, x: Operand, layer: Layer): Plan {
  const [, , channels] = image(layer, x)
  const { filters, groups } = o
  if (channels % groups !== 0 || filters % groups !== 0) {
    throw layerError(
      layer,
      `groups must divide ${channels} channels and ${filters} filters, and is ${groups}`,
    )
  }
  const window = windowOf(o)
  const inputs = channels / groups
  const byWinograd = groups === 1 && o.padding !== 'causal' && isThreeByThree(window)
  const arrays: ExpectedArray[] = [{ role: 'kernel', shape: [...window.size, inputs, filters] }]
  const plan = planned(o, layer, x, window, filters, arrays, async (emission) => {
    const { graph, read, affine } = emission
    const [height, width] = window.size
    const kernel = await readRequired(read, 'kernel')
    const pieces = convolutionPieces(
      kernel,
      { area: height * width, inputs, outputs: filters },
      affine?.factors,
    )
    const weights = await graph.weights([filters, inputs, height, width], pieces)
    return convolve(emission, weights, { o, window, group: groups })
  })
  if (!byWinograd) return plan
  const [height, width] = [x.shape[0] ?? 1, x.shape[1] ?? 1]
  return {
    ...plan,
    winograd: { height, width, channels, filters, isRising: o.activation.isRising },
    emit: (emission) =>
      emission.winograd
        ? emitWinograd(emission, emission.winograd, { o, window, filters })
        : plan.emit(emission),
  }
}

const isThreeByThree = ({ size, strides, dilations }: Window): boolean =>
  size.join() === '3,3' && [...strides, ...dilations].every((step) => step === 1)

async function emitWinograd(
  emission: Emission,
  { form, pool }: NonNullable<Emission['winograd']>,
  { o, window, filters }: { o: Common; window: Window; filters: number },
): Promise<Value> {
  const { graph, inputs, read, affine } = emission
  const [value] = inputs
  const around = takenAlong(window, value) ?? NONE
  const image = around === NONE ? value : (value.padded?.input ?? value)
  const [height = 1, width = 1, channels = 1] = image.shape
  const [top, bottom] = samePadding(window, 0, height)
  const [left, right] = samePadding(window, 1, width)
  const pads = [top + around.top, left + around.left, bottom + around.bottom, right + around.right] as const
  const tensor = await winograd(graph, plain(graph, image), {
    shape: { height, width, channels, filters },
    pads,
    form,
    pool,
    kernel: await readRequired(read, 'kernel'),
    bias: await readBias(emission),
    factors: affine?.factors,
  })
  const size = [height + pads[0] + pads[2] - 2, width + pads[1] + pads[3] - 2]
  const shape = [...size.map((length) => (pool ? Math.floor(length / 2) : length)), filters]
  return o.activation.apply(graph, plainValue(shape, tensor))
}

function planDepthwise(o: Common & { depth_multiplier: number }, x: Operand, layer: Layer): Plan {
  const [, , channels] = image(layer, x)
  const window = windowOf(o)
  const arrays = [depthwiseArray(window, channels, o.depth_multiplier)]
  return planned(o, layer, x, window, channels * o.depth_multiplier, arrays, async (emission) => {
    const weights = await depthwiseWeights(emission, { window, channels, multiplier: o.depth_multiplier })
    return convolve(emission, weights, { o, window, group: channels })
  })
}

/** A depthwise convolution without bias, then a 1 × 1 convolution. */
function planSeparable(
  o: Common & { filters: number; depth_multiplier: number },
  x: Operand,
  layer: Layer,
): Plan {
  const [, , channels] = image(layer, x)
  const { filters, depth_multiplier: multiplier } = o
  const window = windowOf(o)
  const inputs = channels * multiplier
  const arrays: ExpectedArray[] = [
    depthwiseArray(window, channels, multiplier),
    { role: 'pointwise_kernel', shape: [1, 1, inputs, filters] },
  ]
  return planned(o, layer, x, window, filters, arrays, async (emission) => {
    const { graph, read, affine } = emission
    const [value] = emission.inputs
    const depth = await depthwiseWeights({ graph, read }, { window, channels, multiplier })
    const attributes = { ...geometry(window, value, o), group: channels }
    const between = graph.node('Conv', [source(graph, window, value), depth], attributes)
    const kernel = await readRequired(read, 'pointwise_kernel')
    const pieces = convolutionPieces(kernel, { area: 1, inputs, outputs: filters }, affine?.factors)
    const pointwise = await graph.weights([filters, inputs, 1, 1], pieces)
    return convolved(emission, [between, pointwise], { kernel_shape: [1, 1] })
  })
}

function planned(
  o: Common,
  layer: Layer,
  x: Operand,
  window: Window,
  filters: number,
  arrays: readonly ExpectedArray[],
  convolution: (emission: Emission) => Promise<string>,
): Plan {
  const padded = o.padding === 'causal' ? causal(window) : 0
  const [height = 1, width = 1] = x.shape
  const shape = [...slide(layer, window, [height, width + padded]), filters]
  return {
    shape,
    arrays: o.use_bias ? [...arrays, { role: 'bias', shape: [filters] }] : arrays,
    ...(o.activation.isLinear && { foldable: 2 }),
    async emit(emission) {
      const value = planesValue(shape, await convolution(emission))
      return o.activation.apply(emission.graph, value)
    },
  }
}

/** The number of zeros before a sequence, so that no result depends on what comes later. */
const causal = ({ size, dilations }: Window): number => (size[1] - 1) * dilations[1]

const depthwiseArray = ({ size }: Window, channels: number, multiplier: number): ExpectedArray => ({
  role: 'depthwise_kernel',
  shape: [...size, channels, multiplier],
})

async function depthwiseWeights(
  { graph, read, affine }: Pick<Emission, 'graph' | 'read' | 'affine'>,
  { window, channels, multiplier }: { window: Window; channels: number; multiplier: number },
): Promise<string> {
  const outputs = channels * multiplier
  const [height, width] = window.size
  const kernel = await readRequired(read, 'depthwise_kernel')
  const pieces = convolutionPieces(kernel, { area: height * width, inputs: 1, outputs }, affine?.factors)
  return graph.weights([outputs, 1, height, width], pieces)
}

interface Convolution {
  readonly o: Common
  readonly window: Window
  readonly group: number
}

function convolve(emission: Emission, weights: string, { o, window, group }: Convolution): Promise<string> {
  const [value] = emission.inputs
  const attributes = { ...geometry(window, value, o), group }
  return convolved(emission, [source(emission.graph, window, value), weights], attributes)
}

async function convolved(
  emission: Emission,
  inputs: readonly string[],
  attributes: Attributes,
): Promise<string> {
  const { graph } = emission
  const bias = await readBias(emission)
  const biasInput = bias ? [await graph.weights([bias.length], [bias])] : []
  return graph.node('Conv', [...inputs, ...biasInput], attributes)
}

/** The bias, merged with a following normalization; undefined if there is neither. */
export async function readBias({
  read,
  affine,
}: {
  read: Read
  affine?: Emission['affine']
}): Promise<Float32Array | undefined> {
  const bias = await read('bias')
  if (!affine) return bias
  return Float32Array.from(affine.shifts, (shift, i) => (bias?.[i] ?? 0) * (affine.factors[i] ?? 1) + shift)
}

/** Lets the convolution do a preceding zero padding, unless the padding is so wide that a window could miss the image. */
function source(graph: OnnxGraph, window: Window, value: Value): string {
  return planes(graph, takenAlong(window, value) ? (value.padded?.input ?? value) : value)
}

function geometry(window: Window, value: Value, { padding }: Common): Attributes {
  const [height = 1, width = 1] = value.shape
  const [top, bottom] = samePadding(window, 0, height)
  const [left, right] = samePadding(window, 1, width)
  const around = takenAlong(window, value) ?? NONE
  const before = padding === 'causal' ? causal(window) : 0
  return {
    kernel_shape: window.size,
    strides: window.strides,
    dilations: window.dilations,
    pads: [top + around.top, left + around.left + before, bottom + around.bottom, right + around.right],
  }
}

function takenAlong({ size: [height, width] }: Window, { padded }: Value): Borders | undefined {
  if (!padded) return undefined
  const { top, bottom, left, right } = padded.by
  return Math.max(top, bottom) < height && Math.max(left, right) < width ? padded.by : undefined
}

const NONE: Borders = { top: 0, bottom: 0, left: 0, right: 0 }

/** The three sizes of an image; throws for an input that is no image. */
export function image(layer: Layer, { shape, batched }: Operand): [number, number, number] {
  const [height, width, channels, ...more] = shape
  if (batched && height !== undefined && width !== undefined && channels !== undefined && more.length === 0)
    return [height, width, channels]
  throw layerError(layer, `it needs an input of shape [height, width, channels] and gets ${shapeText(shape)}`)
}

export function sequence(layer: Layer, x: Operand): Operand {
  if (x.batched && x.shape.length === 2) return x
  throw layerError(layer, `it needs an input of shape [length, channels] and gets ${shapeText(x.shape)}`)
}
