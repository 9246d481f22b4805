import { axesIn, axisIn, plainAxis, planesAxis } from '../axes.ts'
import { mapped } from '../elementwise.ts'
import type { Call, Kind, Operand, Plan } from '../kind.ts'
import { batchless, kind } from '../kind.ts'
import { notSupported, quote } from '../layer-config.ts'
import type { OnnxGraph } from '../onnx-graph.ts'
import { BOOL, FLOAT } from '../onnx-schema.ts'
import { anything, decimal, flag, integer, integers, only, optional } from '../options.ts'
import { plain, plainValue, planes, planesValue, unflattened } from '../value.ts'
import { planUnit } from './normalization.ts'

/* Operations that make one number out of several along some axes. */

const CALL: Call = { tensors: ['x'] }

type Reduce = (graph: OnnxGraph, x: string, axes: readonly number[], keepdims: number) => string

const node =
  (op: string): Reduce =>
  (graph, x, axes, keepdims) =>
    graph.node(op, [x, graph.integers(axes)], { keepdims })

const options = {
  axis: integers,
  keepdims: flag(false),
  initial: only(null, 'a start value is not supported'),
}

function reduction(reduce: Reduce): Kind {
  return kind(
    options,
    ({ axis, keepdims }, [x], layer) => {
      if (!axis) throw notSupported(layer, 'it reduces all axes, the batch too, which would mix images')
      return planReduction(reduce, x, axesIn(layer, x, axis), keepdims)
    },
    { call: CALL },
  )
}

function planReduction(reduce: Reduce, x: Operand, axes: readonly number[], keepdims: boolean): Plan {
  const left = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
  const shape = keepdims ? left : left.filter((_, axis) => !axes.includes(axis))
  return {
    shape,
    ...batchless(x),
    emit({ graph, inputs: [value] }) {
      const inPlanes =
        x.shape.length === 3 &&
        x.batched &&
        value.tensors.plain === undefined &&
        (keepdims || shape.length < 2)
      if (!inPlanes) {
        const places = axes.map((axis) => plainAxis(axis, x.batched))
        const tensor = reduce(graph, plain(graph, value), places, keepdims ? 1 : 0)
        return plainValue(shape, tensor, batchless(x))
      }
      const tensor = reduce(graph, planes(graph, value), axes.map(planesAxis), keepdims ? 1 : 0)
      return keepdims ? planesValue(shape, tensor) : plainValue(shape, tensor)
    },
  }
}

const variance: Reduce = (graph, x, axes, keepdims) => {
  const over = graph.integers(axes)
  const off = graph.node('Sub', [x, graph.node('ReduceMean', [x, over], { keepdims: 1 })])
  return graph.node('ReduceMean', [graph.node('Mul', [off, off]), over], { keepdims })
}

const truths =
  (op: string): Reduce =>
  (graph, x, axes, keepdims) => {
    const zeroOrOne = graph.node('Cast', [graph.node('Cast', [x], { to: BOOL })], { to: FLOAT })
    return graph.node(op, [zeroOrOne, graph.integers(axes)], { keepdims })
  }

/** The place of the largest or smallest number along an axis. */
const place = (op: string): Kind =>
  kind(
    { axis: integers, keepdims: flag(false) },
    ({ axis, keepdims }, [x], layer) => {
      const [only, another] = axis ?? []
      if (only === undefined || another !== undefined) throw notSupported(layer, 'it must have one axis')
      const reduce: Reduce = (graph, tensor, [at = 1], keep) =>
        graph.node('Cast', [graph.node(op, [tensor], { axis: at, keepdims: keep })], { to: FLOAT })
      return planReduction(reduce, x, [axisIn(layer, x, only)], keepdims)
    },
    { call: CALL },
  )

const norm = kind(
  { axis: integers, keepdims: flag(false), ord: anything },
  ({ axis, keepdims, ord }, [x], layer) => {
    if (!axis) throw notSupported(layer, 'it reduces all axes, the batch too, which would mix images')
    const axes = axesIn(layer, x, axis)
    const euclidean = ord == null || ord === 'fro' || (ord === 2 && axes.length === 1)
    if (!euclidean && !(ord === 1 && axes.length === 1))
      throw notSupported(layer, `ord is ${quote(ord)}; only 1 and 2 are supported`)
    return planReduction(node(euclidean ? 'ReduceL2' : 'ReduceL1'), x, axes, keepdims)
  },
  { call: CALL },
)

/** The smallest length by which Keras divides. */
const SHORTEST = 1e-7

const normalize = kind(
  { axis: integers, order: only(2, 'only the Euclidean length is supported'), epsilon: optional(decimal()) },
  ({ axis, epsilon }, [x], layer) => planUnit(x, axesIn(layer, x, axis ?? [-1]), epsilon ?? SHORTEST),
  { call: CALL },
)

const cumulative = kind(
  { axis: integer(), dtype: only(null, 'it changes the type') },
  ({ axis: written }, [x], layer) => {
    const axis = axisIn(layer, x, written)
    return {
      shape: x.shape,
      ...batchless(x),
      emit: ({ graph, inputs: [value] }) =>
        mapped(graph, unflattened(graph, value), value.nonNegative, (tensor, order) => {
          const at =
            order === 'planes' && x.shape.length === 3 ? planesAxis(axis) : plainAxis(axis, x.batched)
          return graph.node('CumSum', [tensor, graph.integers([at])])
        }),
    }
  },
  { call: CALL },
)

export const REDUCTIONS: readonly (readonly [string, Kind])[] = [
  ['All', reduction(truths('ReduceMin'))],
  ['Amax', reduction(node('ReduceMax'))],
  ['Amin', reduction(node('ReduceMin'))],
  ['Any', reduction(truths('ReduceMax'))],
  ['Argmax', place('ArgMax')],
  ['Argmin', place('ArgMin')],
  ['Cumsum', cumulative],
  ['Logsumexp', reduction(node('ReduceLogSumExp'))],
  ['Max', reduction(node('ReduceMax'))],
  ['Mean', reduction(node('ReduceMean'))],
  ['Min', reduction(node('ReduceMin'))],
  ['Norm', norm],
  ['Normalize', normalize],
  ['Prod', reduction(node('ReduceProd'))],
  ['Std', reduction((graph, x, axes, keepdims) => graph.node('Sqrt', [variance(graph, x, axes, keepdims)]))],
  ['Sum', reduction(node('ReduceSum'))],
  ['Var', reduction(variance)],
]
