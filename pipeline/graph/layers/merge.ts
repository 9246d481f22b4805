import type { Layer } from '../../models/networks/layer-list.ts'
import { axisIn, broadcastShapes, plainAxis, planesAxis } from '../axes.ts'
import { combined } from '../elementwise.ts'
import type { Inputs, Kind, Operand, Plan } from '../kind.ts'
import { batchless, kind } from '../kind.ts'
import { layerError, notSupported, shapeText } from '../layer-config.ts'
import type { OnnxGraph } from '../onnx-graph.ts'
import { decimal, flag, integer, integers } from '../options.ts'
import { plain, plainValue, planes, reshape, unflattened, type Value } from '../value.ts'

const MANY: readonly [number, number] = [1, Number.POSITIVE_INFINITY]
const TWO: readonly [number, number] = [2, 2]

type Combine = (graph: OnnxGraph, tensors: readonly string[]) => string

const folded =
  (op: string): Combine =>
  (graph, tensors) =>
    tensors.reduce((a, b) => graph.node(op, [a, b]))

/** Elementwise layers such as Add. An input with fewer axes gets axes of size 1 after the batch, as in Keras. */
function merging(combine: Combine, keepsSign: boolean, inputs = MANY): Kind {
  return kind({}, (_, all, layer) => planMerge(combine, keepsSign, all, layer), { inputs })
}

function planMerge(combine: Combine, keepsSign: boolean, inputs: Inputs, layer: Layer): Plan {
  if (inputs.some(({ batched }) => !batched)) throw notSupported(layer, 'one of its inputs is a constant')
  const rank = Math.max(...inputs.map(({ shape }) => shape.length))
  const filled = inputs.map(({ shape }) => [...Array<number>(rank - shape.length).fill(1), ...shape])
  const shape = filled.reduce((a, b) => {
    const both = broadcastShapes(a, b)
    if (both) return both
    throw layerError(layer, `inputs of shapes ${shapeText(a)} and ${shapeText(b)} do not fit together`)
  })
  return {
    shape,
    emit({ graph, inputs: values }) {
      const level = values.map((value, i) =>
        value.shape.length === rank ? value : reshape(graph, value, filled[i] ?? shape),
      )
      const nonNegative = keepsSign && values.every((value) => value.nonNegative)
      return combined(graph, level, { shape }, (tensors) => combine(graph, tensors), nonNegative)
    },
  }
}

const average: Combine = (graph, tensors) =>
  graph.node('Div', [folded('Add')(graph, tensors), graph.floats([tensors.length], [])])

/** a + scale · b, in Inception-ResNet. */
const customScale = kind(
  { scale: decimal(1) },
  ({ scale }, inputs, layer) =>
    planMerge(
      (graph, [a = '', b = '']) => graph.node('Add', [a, graph.node('Mul', [b, graph.floats([scale], [])])]),
      scale >= 0,
      inputs,
      layer,
    ),
  { inputs: TWO },
)

const concatenate = kind(
  { axis: integer(-1) },
  ({ axis }, inputs, layer) => planConcatenation(axis, inputs, layer),
  {
    inputs: MANY,
  },
)

export function planConcatenation(written: number, inputs: Inputs, layer: Layer): Plan {
  const [first] = inputs
  const axis = axisIn(layer, first, written)
  if (inputs.some(({ batched }) => batched !== first.batched))
    throw notSupported(layer, 'it joins a constant with what depends on the image')
  const shape = inputs.slice(1).reduce((joined, b) => {
    if (joined.length !== b.shape.length || joined.some((size, i) => i !== axis && size !== b.shape[i])) {
      throw layerError(
        layer,
        `inputs of shapes ${shapeText(joined)} and ${shapeText(b.shape)} cannot be joined at axis ${axis + 1}`,
      )
    }
    return joined.map((size, i) => (i === axis ? size + (b.shape[i] ?? 0) : size))
  }, first.shape)
  return {
    shape,
    ...batchless(first),
    emit({ graph, inputs: values }) {
      const nonNegative = values.every((value) => value.nonNegative)
      if (shape.length === 3 && first.batched) {
        const tensors = values.map((value) => planes(graph, value))
        const tensor = graph.node('Concat', tensors, { axis: planesAxis(axis) })
        return { shape, nonNegative, tensors: { planes: tensor } }
      }
      const tensors = values.map((value) => plain(graph, value))
      const tensor = graph.node('Concat', tensors, { axis: plainAxis(axis, first.batched) })
      return plainValue(shape, tensor, { nonNegative, ...batchless(first) })
    },
  }
}

/** The products of two tensors, summed along one axis of each. */
const dot = kind(
  { axes: integers, normalize: flag(false) },
  ({ axes, normalize }, [a, b = a], layer) => {
    if (!axes || axes.length > 2) throw layerError(layer, 'it must have one or two axes')
    const left = axisIn(layer, a, axes[0] ?? 1, 'axes')
    const right = axisIn(layer, b, axes[1] ?? axes[0] ?? 1, 'axes')
    if (a.shape[left] !== b.shape[right])
      throw layerError(layer, `inputs of shapes ${shapeText(a.shape)} and ${shapeText(b.shape)} do not fit`)
    const rest = [a.shape.filter((_, i) => i !== left), b.shape.filter((_, i) => i !== right)].flat()
    const shape = rest.length === 0 ? [1] : rest
    const letters = [...'abcdefghijklmnopqrstuvwxy']
    const [ofA, ofB] = [a, b].map(({ shape }) => shape.map(() => letters.shift() ?? ''))
    if (!ofA || !ofB) throw layerError(layer, 'it has no inputs')
    ofB[right] = ofA[left] ?? ''
    const out = [...ofA.filter((_, i) => i !== left), ...ofB.filter((_, i) => i !== right)]
    return {
      shape,
      emit({ graph, inputs: [x, y = x] }) {
        const side = (value: Value, operand: Operand, axis: number) => {
          const tensor = plain(graph, unflattened(graph, value))
          if (!normalize) return tensor
          const over = graph.integers([plainAxis(axis, operand.batched)])
          const length = graph.node('ReduceL2', [tensor, over], { keepdims: 1 })
          // The root of Keras' 1e-12, which stands below the sum of squares.
          return graph.node('Div', [tensor, graph.node('Max', [length, graph.floats([1e-12], [])])])
        }
        const equation = `z${ofA.join('')},z${ofB.join('')}->z${out.join('')}`
        const tensor = graph.node('Einsum', [side(x, a, left), side(y, b, right)], { equation })
        const whole = rest.length === 0 ? graph.node('Reshape', [tensor, graph.integers([-1, 1])]) : tensor
        return plainValue(shape, whole)
      },
    }
  },
  { inputs: TWO },
)

export const MERGES: readonly (readonly [string, Kind])[] = [
  ['Add', merging(folded('Add'), true)],
  ['Average', merging(average, true)],
  ['Concatenate', concatenate],
  ['CustomScaleLayer', customScale],
  ['Dot', dot],
  ['Maximum', merging(folded('Max'), true)],
  ['Minimum', merging(folded('Min'), true)],
  ['Multiply', merging(folded('Mul'), true)],
  ['Subtract', merging(folded('Sub'), false, TWO)],
]
