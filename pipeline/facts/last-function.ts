import type { OnnxNode, OnnxOutline } from '../weights/onnx/onnx-outline.ts'
import { producersIn } from './producers.ts'

/** What a model does to its numbers in the end. `linear`: nothing, so the numbers are logits. */
export type LastFunction = 'softmax' | 'log_softmax' | 'sigmoid' | 'linear'

/** Operators that change the form of the numbers, and not the numbers. */
const SAME_NUMBERS: ReadonlySet<string> = new Set([
  'Cast',
  'DequantizeLinear',
  'Dropout',
  'Flatten',
  'Identity',
  'QuantizeLinear',
  'Reshape',
  'Squeeze',
  'Transpose',
  'Unsqueeze',
])

const FUNCTIONS: ReadonlyMap<string, LastFunction> = new Map<string, LastFunction>([
  ['Conv', 'linear'],
  ['Gemm', 'linear'],
  ['HardSigmoid', 'sigmoid'],
  ['LogSoftmax', 'log_softmax'],
  ['MatMul', 'linear'],
  ['Sigmoid', 'sigmoid'],
  ['Softmax', 'softmax'],
])

const MAX_STEPS = 50

/** The function of the last operator before an output; undefined if the operator does not tell. */
export function lastFunction(outline: OnnxOutline, head: string | number = 0): LastFunction | undefined {
  const producers = producersIn(outline)
  const output = typeof head === 'number' ? outline.outputs[head] : head
  let node = producers.get(output ?? '')
  for (let step = 0; node && step < MAX_STEPS; step++) {
    if (!SAME_NUMBERS.has(node.op)) return functionOf(node, producers)
    node = producers.get(node.inputs[0] ?? '')
  }
  return undefined
}

function functionOf(node: OnnxNode, producers: ReadonlyMap<string, OnnxNode>): LastFunction | undefined {
  if (node.op !== 'Add') return FUNCTIONS.get(node.op)
  // A bias: the sum of two results of layers would say nothing.
  const computed = node.inputs
    .map((name) => producers.get(name)?.op)
    .filter((op) => op !== undefined && op !== 'Constant')
  const [op] = computed
  return computed.length === 1 && op !== undefined && FUNCTIONS.get(op) === 'linear' ? 'linear' : undefined
}
