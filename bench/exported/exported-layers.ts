import type { OnnxGraph } from '../../pipeline/graph/onnx-graph.ts'
import { convolutionPieces } from '../../pipeline/graph/weight-layout.ts'
import { samePadding, type Window } from '../../pipeline/graph/window.ts'
import { type Emission, fail, type Tensor } from './emission.ts'

/** The node or nodes of a layer, as the exporter writes them. */
export function emitLayer(emission: Emission): Promise<Tensor> | Tensor {
  const emit = LAYERS[emission.layer.className]
  return emit ? emit(emission) : fail(`bench/exported has no ${emission.layer.className}`)
}

type Emit = (emission: Emission) => Promise<Tensor> | Tensor

const LAYERS: Readonly<Record<string, Emit>> = {
  Activation: (it) => activation(it, String(it.layer.config.activation)),
  Add: (it) => together(it, 'Add'),
  AveragePooling2D: (it) => pooling(it, 'AveragePool'),
  BatchNormalization: batchNormalization,
  Concatenate: ({ graph, inputs }) =>
    planesOf(
      graph.node(
        'Concat',
        inputs.map((one) => planes(graph, one)),
        { axis: 1 },
      ),
    ),
  Constant: ({ graph, layer }) => rows(graph.floats(layer.config.value as number[], [])),
  Conv2D: convolution,
  Cropping2D: ({ graph, inputs, layer, inputShape: [height = 1, width = 1] }) => {
    const [[top, bottom], [left, right]] = layer.config.cropping as Borders
    const lists = [
      [top, left],
      [height - bottom, width - right],
      [2, 3],
    ]
    const x = planes(graph, first(inputs))
    return planesOf(graph.node('Slice', [x, ...lists.map((list) => graph.integers(list))]))
  },
  Dense: dense,
  DepthwiseConv2D: convolution,
  Dropout: ({ inputs }) => inputs[0] ?? fail('no input'),
  Flatten: ({ graph, inputs }) => rows(graph.node('Flatten', [first(inputs).name], { axis: 1 })),
  GlobalAveragePooling2D: ({ graph, inputs, layer }) => {
    const mean = graph.node('GlobalAveragePool', [planes(graph, first(inputs))])
    return layer.config.keepdims === true ? planesOf(mean) : rows(graph.node('Flatten', [mean], { axis: 1 }))
  },
  LayerNormalization: layerNormalization,
  LayerScale: async ({ graph, inputs, read }) => {
    const { name, order } = first(inputs)
    return { name: graph.node('Mul', [name, await vector(graph, await needed(read, 'gamma'))]), order }
  },
  MaxPooling2D: (it) => pooling(it, 'MaxPool'),
  Multiply: (it) => together(it, 'Mul'),
  Normalization: normalization,
  ReLU: ({ graph, inputs, layer }) => {
    const { name, order } = first(inputs)
    const most = layer.config.max_value
    if (typeof most !== 'number') return { name: graph.node('Relu', [name]), order }
    return { name: clip(graph, name, 0, most), order }
  },
  Rescaling: ({ graph, inputs, layer }) => {
    const { name, order } = first(inputs)
    const { scale, offset } = layer.config
    const scaled = graph.node('Mul', [name, channelwise(graph, scale, order)])
    return {
      name: offset === 0 ? scaled : graph.node('Add', [scaled, channelwise(graph, offset, order)]),
      order,
    }
  },
  Reshape: ({ graph, inputs, shape: [height = 1, width = 1, channels = 1] }) =>
    planesOf(graph.node('Reshape', [first(inputs).name, graph.integers([0, channels, height, width])])),
  SeparableConv2D: separable,
  ZeroPadding2D: ({ graph, inputs, layer }) => {
    const [[top, bottom], [left, right]] = layer.config.padding as Borders
    const pads = graph.integers([0, 0, top, left, 0, 0, bottom, right])
    return planesOf(graph.node('Pad', [planes(graph, first(inputs)), pads, graph.floats([0], [])]))
  },
  'ops.Add': (it) => together(it, 'Add'),
  'ops.Multiply': (it) => together(it, 'Mul'),
}

type Borders = readonly [readonly [number, number], readonly [number, number]]

const planesOf = (name: string): Tensor => ({ name, order: 'planes' })
const rows = (name: string): Tensor => ({ name, order: 'rows' })
const first = (inputs: readonly Tensor[]): Tensor => inputs[0] ?? fail('no input')

/** Both exporters change the order only where the next operation needs another one. */
function planes(graph: OnnxGraph, { name, order }: Tensor): string {
  return order === 'pixels' ? graph.node('Transpose', [name], { perm: [0, 3, 1, 2] }) : name
}

function pixels(graph: OnnxGraph, { name, order }: Tensor): string {
  return order === 'planes' ? graph.node('Transpose', [name], { perm: [0, 2, 3, 1] }) : name
}

function channelwise(graph: OnnxGraph, value: unknown, order: Tensor['order']): string {
  const list = [value].flat() as number[]
  const shape = order === 'planes' ? [list.length, 1, 1] : [list.length]
  return graph.floats(list, list.length === 1 ? [] : shape)
}

const vector = (graph: OnnxGraph, values: Float32Array) => graph.weights([values.length], [values])

async function needed(read: Emission['read'], role: string): Promise<Float32Array> {
  return (await read(role)) ?? fail(`no ${role}`)
}

function clip(graph: OnnxGraph, x: string, least: number, most: number): string {
  return graph.node('Clip', [x, graph.floats([least], []), graph.floats([most], [])])
}

const INTO = { planes, pixels, rows: (_: OnnxGraph, { name }: Tensor) => name } as const

/** In the order of the larger input, which the other one is broadcast against. */
function together({ graph, inputs }: Emission, op: string): Tensor {
  const order = inputs.find((one) => one.order !== 'rows')?.order ?? 'rows'
  const into = INTO[order]
  return {
    name: graph.node(
      op,
      inputs.map((one) => into(graph, one)),
    ),
    order,
  }
}

function windowOf({ layer: { config } }: Emission, size: 'kernel_size' | 'pool_size'): Window {
  return {
    size: config[size] as [number, number],
    strides: config.strides as [number, number],
    dilations: [1, 1],
    same: config.padding === 'same',
  }
}

function geometry(window: Window, [height = 1, width = 1]: readonly number[]) {
  const [top, bottom] = samePadding(window, 0, height)
  const [left, right] = samePadding(window, 1, width)
  return { kernel_shape: window.size, strides: window.strides, pads: [top, left, bottom, right] }
}

async function convolution(it: Emission): Promise<Tensor> {
  const { graph, inputs, layer, inputShape, shape, read } = it
  const window = windowOf(it, 'kernel_size')
  const isDepthwise = layer.className === 'DepthwiseConv2D'
  const [channels = 1, outputs = 1] = [inputShape[2], shape[2]]
  const group = isDepthwise ? channels : Number(layer.config.groups ?? 1)
  const [height, width] = window.size
  const kernel = await needed(read, isDepthwise ? 'depthwise_kernel' : 'kernel')
  const pieces = convolutionPieces(kernel, { area: height * width, inputs: channels / group, outputs })
  const weights = await graph.weights([outputs, channels / group, height, width], pieces)
  const bias = await read('bias')
  const operands = [planes(graph, first(inputs)), weights, ...(bias ? [await vector(graph, bias)] : [])]
  const name = graph.node('Conv', operands, { ...geometry(window, inputShape), dilations: [1, 1], group })
  return activation({ ...it, inputs: [planesOf(name)] }, String(layer.config.activation))
}

async function separable(it: Emission): Promise<Tensor> {
  const { graph, inputs, layer, inputShape, shape, read } = it
  const window = windowOf(it, 'kernel_size')
  const [channels = 1, outputs = 1] = [inputShape[2], shape[2]]
  const [height, width] = window.size
  const kernel = await needed(read, 'depthwise_kernel')
  const pieces = convolutionPieces(kernel, { area: height * width, inputs: 1, outputs: channels })
  const depthwise = await graph.weights([channels, 1, height, width], pieces)
  const attributes = { ...geometry(window, inputShape), dilations: [1, 1], group: channels }
  const between = graph.node('Conv', [planes(graph, first(inputs)), depthwise], attributes)
  const points = convolutionPieces(await needed(read, 'pointwise_kernel'), {
    area: 1,
    inputs: channels,
    outputs,
  })
  const pointwise = await graph.weights([outputs, channels, 1, 1], points)
  const name = graph.node('Conv', [between, pointwise], { kernel_shape: [1, 1] })
  return activation({ ...it, inputs: [planesOf(name)] }, String(layer.config.activation))
}

function pooling(it: Emission, op: 'AveragePool' | 'MaxPool'): Tensor {
  const { graph, inputs, inputShape } = it
  const attributes = {
    ...geometry(windowOf(it, 'pool_size'), inputShape),
    ...(op === 'AveragePool' && { count_include_pad: 0 }),
  }
  return planesOf(graph.node(op, [planes(graph, first(inputs))], attributes))
}

/** The node is kept: ONNX Runtime merges it into a convolution before it, as both exporters would. */
async function batchNormalization({ graph, inputs, layer, read }: Emission): Promise<Tensor> {
  const roles = ['gamma', 'beta', 'moving_mean', 'moving_variance']
  const operands: string[] = [planes(graph, first(inputs))]
  for (const role of roles) operands.push(await vector(graph, await needed(read, role)))
  const epsilon = { float: Number(layer.config.epsilon) }
  return planesOf(graph.node('BatchNormalization', operands, { epsilon }))
}

async function normalization({ graph, inputs, layer, read }: Emission): Promise<Tensor> {
  const { name, order } = first(inputs)
  const { mean, variance } = layer.config
  const means = Array.isArray(mean) ? mean : [...(await needed(read, 'mean'))]
  const variances: number[] = Array.isArray(variance) ? variance : [...(await needed(read, 'variance'))]
  const less = graph.node('Sub', [name, channelwise(graph, means, order)])
  const deviations = channelwise(graph, variances.map(Math.sqrt), order)
  return { name: graph.node('Div', [less, deviations]), order }
}

async function dense(it: Emission): Promise<Tensor> {
  const { graph, inputs, inputShape, shape, layer, exporter, read } = it
  const [rowCount = 1, units = 1] = [inputShape.at(-1), shape.at(-1)]
  const matrix = await graph.weights([rowCount, units], [await needed(read, 'kernel')])
  const bias = await vector(graph, await needed(read, 'bias'))
  const input = first(inputs)
  const isRow = input.order === 'rows'
  const product = () => graph.node('MatMul', [pixels(graph, input), matrix])
  const name =
    isRow && exporter === 'torch'
      ? graph.node('Gemm', [input.name, matrix, bias])
      : graph.node('Add', [product(), bias])
  return activation(
    { ...it, inputs: [{ name, order: isRow ? 'rows' : 'pixels' }] },
    String(layer.config.activation),
  )
}

/** PyTorch has one operator; TensorFlow computes moments, and tf2onnx writes what it computes. */
async function layerNormalization({ graph, inputs, layer, exporter, read }: Emission): Promise<Tensor> {
  const input = first(inputs)
  const x = pixels(graph, input)
  const order = input.order === 'rows' ? 'rows' : 'pixels'
  const [gamma, beta] = [
    await vector(graph, await needed(read, 'gamma')),
    await vector(graph, await needed(read, 'beta')),
  ]
  const epsilon = Number(layer.config.epsilon)
  if (exporter === 'torch') {
    const attributes = { axis: -1, epsilon: { float: epsilon } }
    return { name: graph.node('LayerNormalization', [x, gamma, beta], attributes), order }
  }
  const average = (what: string) => graph.node('ReduceMean', [what, graph.integers([-1])], { keepdims: 1 })
  const mean = average(x)
  const less = graph.node('Sub', [x, mean])
  const variance = average(graph.node('Mul', [less, less]))
  const root = graph.node('Sqrt', [graph.node('Add', [variance, graph.floats([epsilon], [])])])
  const factor = graph.node('Mul', [graph.node('Reciprocal', [root]), gamma])
  const shift = graph.node('Sub', [beta, graph.node('Mul', [mean, factor])])
  return { name: graph.node('Add', [graph.node('Mul', [x, factor]), shift]), order }
}

function activation({ graph, inputs, exporter }: Emission, word: string): Tensor {
  const { name: x, order } = first(inputs)
  const node = (op: string, ...operands: string[]) => graph.node(op, operands)
  const number = (value: number) => graph.floats([value], [])
  const written = (): string => {
    if (word === 'linear') return x
    if (word === 'relu') return node('Relu', x)
    if (word === 'sigmoid') return node('Sigmoid', x)
    if (word === 'softmax') return graph.node('Softmax', [x], { axis: -1 })
    if (word === 'silu') return node('Mul', x, node('Sigmoid', x))
    if (word === 'hard_silu') {
      if (exporter === 'torch') return node('HardSwish', x)
      return node('Mul', x, node('Mul', clip(graph, node('Add', x, number(3)), 0, 6), number(1 / 6)))
    }
    if (word === 'gelu') {
      const error = node('Add', node('Erf', node('Div', x, number(Math.SQRT2))), number(1))
      return node('Mul', node('Mul', x, error), number(0.5))
    }
    return fail(`bench/exported has no activation ${word}`)
  }
  return { name: written(), order }
}
