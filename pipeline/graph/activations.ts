import type { Layer } from '../models/networks/layer-list.ts'
import { decimal, layerError, notSupported } from './layer-config.ts'
import type { OnnxGraph } from './onnx-graph.ts'
import { anyOrder, type Value } from './value.ts'

type Activation = (graph: OnnxGraph, x: string, order: 'plain' | 'planes') => string

const operator =
  (op: string): Activation =>
  (graph, x) =>
    graph.node(op, [x])

const overChannels =
  (op: string): Activation =>
  (graph, x, order) =>
    graph.node(op, [x], { axis: order === 'planes' ? 1 : -1 })

// hard_sigmoid is missing on purpose: Keras 2 and Keras 3 give that name to different functions.
const ACTIVATIONS: ReadonlyMap<string, Activation> = new Map<string, Activation>([
  ['elu', operator('Elu')],
  ['exponential', operator('Exp')],
  ['gelu', operator('Gelu')],
  ['hard_silu', operator('HardSwish')],
  ['hard_swish', operator('HardSwish')],
  ['leaky_relu', (graph, x) => graph.node('LeakyRelu', [x], { alpha: { float: 0.2 } })],
  ['linear', (_, x) => x],
  ['log_softmax', overChannels('LogSoftmax')],
  ['mish', operator('Mish')],
  ['relu', operator('Relu')],
  ['relu6', (graph, x) => clip(graph, x, 6)],
  ['selu', operator('Selu')],
  ['sigmoid', operator('Sigmoid')],
  ['silu', swish],
  ['softmax', overChannels('Softmax')],
  ['softplus', operator('Softplus')],
  ['softsign', operator('Softsign')],
  ['swish', swish],
  ['tanh', operator('Tanh')],
])

const NON_NEGATIVE: ReadonlySet<string> = new Set([
  'exponential',
  'relu',
  'relu6',
  'sigmoid',
  'softmax',
  'softplus',
])

/** The name of a layer's activation. Keras writes the name, or an object that contains the name, or nothing. */
export function activationName(layer: Layer): string {
  const written = layer.config.activation ?? 'linear'
  const name: unknown = isFunctionObject(written) ? written.config : written
  if (typeof name === 'string' && ACTIVATIONS.has(name)) return name
  throw notSupported(
    layer,
    `its activation ${JSON.stringify(name).slice(0, 60)} is not supported. These are: ${[...ACTIVATIONS.keys()].join(', ')}`,
  )
}

export function activate(graph: OnnxGraph, value: Value, name: string): Value {
  if (name === 'linear') return value
  const nonNegative = NON_NEGATIVE.has(name)
  return mapped(graph, value, nonNegative, (x, order) => ACTIVATIONS.get(name)?.(graph, x, order) ?? x)
}

/** Keras' ReLU layer: (x − threshold) · slope below the threshold, x above it, and never more than max_value. */
export function rectify(graph: OnnxGraph, layer: Layer, value: Value): Value {
  const slope = decimal(layer, 'negative_slope', 0)
  const threshold = decimal(layer, 'threshold', 0)
  const largest = layer.config.max_value == null ? Number.POSITIVE_INFINITY : decimal(layer, 'max_value')
  if (largest < 0) throw layerError(layer, `max_value must be at least 0, and is ${largest}`)
  return mapped(graph, value, slope === 0 && threshold >= 0 && largest >= 0, (x) => {
    if (slope === 0 && threshold === 0)
      return largest < Number.POSITIVE_INFINITY ? clip(graph, x, largest) : graph.node('Relu', [x])
    const bent = bend(graph, x, slope, threshold)
    return largest < Number.POSITIVE_INFINITY ? graph.node('Min', [bent, graph.floats([largest], [])]) : bent
  })
}

export function leakyRectify(graph: OnnxGraph, layer: Layer, value: Value): Value {
  // Keras 3 renamed alpha.
  const alpha = decimal(layer, layer.config.negative_slope == null ? 'alpha' : 'negative_slope', 0.3)
  return mapped(graph, value, false, (x) => graph.node('LeakyRelu', [x], { alpha: { float: alpha } }))
}

export function exponentialRectify(graph: OnnxGraph, layer: Layer, value: Value): Value {
  const alpha = decimal(layer, 'alpha', 1)
  return mapped(graph, value, false, (x) => graph.node('Elu', [x], { alpha: { float: alpha } }))
}

function mapped(
  graph: OnnxGraph,
  value: Value,
  nonNegative: boolean,
  apply: (x: string, order: 'plain' | 'planes') => string,
): Value {
  const { order, tensor } = anyOrder(graph, value)
  const { shape, flattened } = value
  const tensors = { [order]: apply(tensor, order) }
  return { shape, nonNegative, tensors, ...(order === 'planes' && flattened ? { flattened } : {}) }
}

function bend(graph: OnnxGraph, x: string, slope: number, threshold: number): string {
  if (threshold === 0) return graph.node('LeakyRelu', [x], { alpha: { float: slope } })
  const limit = graph.floats([threshold], [])
  const below = graph.node('Mul', [graph.node('Sub', [x, limit]), graph.floats([slope], [])])
  return graph.node('Where', [graph.node('GreaterOrEqual', [x, limit]), x, below])
}

function clip(graph: OnnxGraph, x: string, largest: number): string {
  return graph.node('Clip', [x, graph.floats([0], []), graph.floats([largest], [])])
}

function swish(graph: OnnxGraph, x: string): string {
  return graph.node('Mul', [x, graph.node('Sigmoid', [x])])
}

function isFunctionObject(value: unknown): value is { config: unknown } {
  return typeof value === 'object' && value !== null && 'config' in value
}
