import { mapped } from './elementwise.ts'
import type { OnnxGraph } from './onnx-graph.ts'
import { FLOAT } from './onnx-schema.ts'
import type { Value } from './value.ts'

/** An activation function on a tensor. `axis` is that of the channels. */
type Activation = (graph: OnnxGraph, x: string, axis: number) => string

const operator =
  (op: string): Activation =>
  (graph, x) =>
    graph.node(op, [x])

const overChannels =
  (op: string): Activation =>
  (graph, x, axis) =>
    graph.node(op, [x], { axis })

/** Keras 2's hard_sigmoid is another function than that of Keras 3. The reader of the file gives it this name. */
export const HARD_SIGMOID_OF_KERAS_2 = 'hard_sigmoid of Keras 2'

const ACTIVATIONS: ReadonlyMap<string, Activation> = new Map<string, Activation>([
  ['celu', (graph, x) => celu(graph, x, 1)],
  ['elu', operator('Elu')],
  ['exponential', operator('Exp')],
  ['gelu', operator('Gelu')],
  ['hard_shrink', (graph, x) => shrink(graph, x, 0.5, 0)],
  [HARD_SIGMOID_OF_KERAS_2, (graph, x) => hardSigmoid(graph, x, 0.2)],
  ['hard_sigmoid', (graph, x) => hardSigmoid(graph, x, 1 / 6)],
  ['hard_silu', operator('HardSwish')],
  ['hard_swish', operator('HardSwish')],
  ['hard_tanh', (graph, x) => clip(graph, x, -1, 1)],
  ['leaky_relu', (graph, x) => leaky(graph, x, 0.2)],
  ['linear', (_, x) => x],
  ['log_sigmoid', logSigmoid],
  ['log_softmax', overChannels('LogSoftmax')],
  ['mish', operator('Mish')],
  ['relu', operator('Relu')],
  ['relu6', (graph, x) => clip(graph, x, 0, 6)],
  ['selu', operator('Selu')],
  ['sigmoid', operator('Sigmoid')],
  ['silu', swish],
  ['soft_shrink', (graph, x) => shrink(graph, x, 0.5, 0.5)],
  ['softmax', overChannels('Softmax')],
  ['softplus', operator('Softplus')],
  ['softsign', operator('Softsign')],
  ['sparse_plus', sparsePlus],
  ['sparse_sigmoid', (graph, x) => hardSigmoid(graph, x, 0.5)],
  ['squareplus', (graph, x) => squarePlus(graph, x, 4)],
  ['swish', swish],
  ['tanh', operator('Tanh')],
  ['tanh_shrink', (graph, x) => graph.node('Sub', [x, graph.node('Tanh', [x])])],
])

const NON_NEGATIVE: ReadonlySet<string> = new Set([
  'exponential',
  HARD_SIGMOID_OF_KERAS_2,
  'hard_sigmoid',
  'relu',
  'relu6',
  'sigmoid',
  'softmax',
  'softplus',
  'sparse_plus',
  'sparse_sigmoid',
  'squareplus',
])

export const ACTIVATION_NAMES: readonly string[] = [...ACTIVATIONS.keys(), 'sparsemax']

export function activate(graph: OnnxGraph, value: Value, name: string): Value {
  if (name === 'linear') return value
  const axis = (order: 'plain' | 'planes') => (order === 'planes' ? 1 : -1)
  return mapped(graph, value, NON_NEGATIVE.has(name), (x, order) => {
    if (name === 'sparsemax') return sparsemax(graph, x, axis(order), value.shape.at(-1) ?? 1)
    return ACTIVATIONS.get(name)?.(graph, x, axis(order)) ?? x
  })
}

export function clip(graph: OnnxGraph, x: string, least: number, most: number): string {
  return graph.node('Clip', [x, graph.floats([least], []), graph.floats([most], [])])
}

export function leaky(graph: OnnxGraph, x: string, slope: number): string {
  return graph.node('LeakyRelu', [x], { alpha: { float: slope } })
}

export function celu(graph: OnnxGraph, x: string, alpha: number): string {
  return graph.node('Celu', [x], { alpha: { float: alpha } })
}

/** Numbers nearer to zero than the limit become zero; the others move towards zero by `by`. */
export function shrink(graph: OnnxGraph, x: string, limit: number, by: number): string {
  return graph.node('Shrink', [x], { lambd: { float: limit }, bias: { float: by } })
}

export function hardSigmoid(graph: OnnxGraph, x: string, slope: number): string {
  return graph.node('HardSigmoid', [x], { alpha: { float: slope }, beta: { float: 0.5 } })
}

export function squarePlus(graph: OnnxGraph, x: string, b: number): string {
  const root = graph.node('Sqrt', [graph.node('Add', [graph.node('Mul', [x, x]), graph.floats([b], [])])])
  return graph.node('Mul', [graph.node('Add', [x, root]), graph.floats([0.5], [])])
}

export function logSigmoid(graph: OnnxGraph, x: string): string {
  return graph.node('Neg', [graph.node('Softplus', [graph.node('Neg', [x])])])
}

/** 0 below −1, (x + 1)² / 4 up to 1, and x above 1. */
export function sparsePlus(graph: OnnxGraph, x: string): string {
  const one = graph.floats([1], [])
  const shifted = graph.node('Add', [clip(graph, x, -1, 1), one])
  const square = graph.node('Mul', [graph.node('Mul', [shifted, shifted]), graph.floats([0.25], [])])
  return graph.node('Add', [square, graph.node('Relu', [graph.node('Sub', [x, one])])])
}

export function swish(graph: OnnxGraph, x: string): string {
  return graph.node('Mul', [x, graph.node('Sigmoid', [x])])
}

/**
 * max(x − t, 0) with a threshold t, which comes from the largest k numbers for which 1 + k · (the k-th number) is above
 * the sum of the first k. Keras adds up all these sums for t, where the published sparsemax takes the last one.
 */
export function sparsemax(graph: OnnxGraph, x: string, axis: number, size: number): string {
  const [sorted = ''] = graph.nodes('TopK', [x, graph.integers([size])], 2, { axis, largest: 1, sorted: 1 })
  const one = graph.floats([1], [])
  const sums = graph.node('CumSum', [sorted, graph.integers([axis])])
  const places = graph.node('CumSum', [
    graph.node('Add', [graph.node('Mul', [sorted, graph.floats([0], [])]), one]),
    graph.integers([axis]),
  ])
  const bounds = graph.node('Add', [graph.node('Mul', [sorted, places]), one])
  const taken = graph.node('Cast', [graph.node('Greater', [bounds, sums])], { to: FLOAT })
  const total = (what: string) => graph.node('ReduceSum', [what, graph.integers([axis])], { keepdims: 1 })
  const count = total(taken)
  const sum = total(graph.node('Mul', [taken, sums]))
  const threshold = graph.node('Div', [graph.node('Sub', [sum, one]), count])
  return graph.node('Relu', [graph.node('Sub', [x, threshold])])
}
