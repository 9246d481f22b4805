import type { OnnxNode, OnnxOutline } from '../weights/onnx/onnx-outline.ts'
import { consumersIn } from './producers.ts'

/** Operators between the pixels and the scaling that leave the numbers as they are. */
const SAME_NUMBERS: ReadonlySet<string> = new Set([
  'Cast',
  // Channels that were taken apart are put together in another order.
  'Concat',
  'DequantizeLinear',
  'Flatten',
  'Gather',
  'Identity',
  'Pad',
  'QuantizeLinear',
  'Reshape',
  'Resize',
  'Slice',
  'Squeeze',
  'Transpose',
  'Unsqueeze',
])
const SCALING: ReadonlySet<string> = new Set(['Add', 'Div', 'Mul', 'Sub'])
/** A number for all channels, or one for each. Longer arrays are learned, not preprocessing. */
const MOST_NUMBERS = 4
const MAX_STEPS = 50
/** The names that the compiler gives: a number, and the layer. */
const COMPILED = /^\d+:(.*)$/s

/**
 * The part of a model that scales the pixels before the first layer with weights: the name of a layer, or of a tensor in
 * an exported file. Undefined if there is none. The scaling that Tandem compiled into the graph has the name of the input.
 */
export function ownScaling(outline: OnnxOutline): string | undefined {
  const consumers = consumersIn(outline)
  const constants = constantsIn(outline)
  let tensor = outline.inputs[0] ?? ''
  let inputLayer: string | undefined
  for (let step = 0; step < MAX_STEPS; step++) {
    const [node] = consumers.get(tensor) ?? []
    if (!node) return undefined
    const [output = ''] = node.outputs
    const layer = COMPILED.exec(output)?.[1]
    inputLayer ??= layer
    const isOurs = layer !== undefined && layer === inputLayer
    if (isScaling(node, tensor, constants)) {
      if (!isOurs) return layer ?? output
    } else if (!SAME_NUMBERS.has(node.op)) return undefined
    tensor = output
  }
  return undefined
}

function isScaling({ op, inputs }: OnnxNode, tensor: string, constants: ReadonlySet<string>): boolean {
  return SCALING.has(op) && inputs.filter((name) => name !== tensor).every((name) => constants.has(name))
}

function constantsIn({ nodes, arrays }: OnnxOutline): ReadonlySet<string> {
  const small = [...arrays].filter(([, sizes]) => sizes.reduce((all, size) => all * size, 1) <= MOST_NUMBERS)
  const computed = nodes.filter(({ op }) => op === 'Constant').flatMap(({ outputs }) => outputs)
  return new Set([...small.map(([name]) => name), ...computed])
}
