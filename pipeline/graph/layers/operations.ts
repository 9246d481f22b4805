import {
  celu,
  clip,
  hardSigmoid,
  leaky,
  logSigmoid,
  shrink,
  sparsemax,
  sparsePlus,
  squarePlus,
  swish,
} from '../activations.ts'
import { axisIn, broadcastOperands, plainAxis, planesAxis } from '../axes.ts'
import { combined, mapped } from '../elementwise.ts'
import type { Call, Inputs, Kind, Options, OptionValues, Plan } from '../kind.ts'
import { batchless, kind } from '../kind.ts'
import { layerError, notSupported, quote } from '../layer-config.ts'
import type { OnnxGraph } from '../onnx-graph.ts'
import { BFLOAT16, BOOL, FLOAT, FLOAT16, INT32, INT64 } from '../onnx-schema.ts'
import { decimal, flag, integer, integers, only, text } from '../options.ts'
import { anyOrder, unflattened } from '../value.ts'
import { softmaxOver } from './activation.ts'

/*
 * Keras' operations, where a model uses them as layers: `x / 255`, `keras.ops.mean(x, 1)`. All numbers are float32 here,
 * whole numbers and booleans too: they are exact up to 2^24.
 */

type Unary<S extends Options> = (graph: OnnxGraph, x: string, options: OptionValues<S>) => string

const ONE: Call = { tensors: ['x'] }
const TWO: Call = { tensors: ['x1', 'x2'] }

/** An operation on each number by itself. */
function unary<S extends Options>(options: S, apply: Unary<S>, nonNegative = false): Kind {
  return kind(
    options,
    (values, [x]) => ({
      shape: x.shape,
      ...batchless(x),
      emit: ({ graph, inputs: [value] }) =>
        mapped(graph, value, nonNegative, (tensor) => apply(graph, tensor, values)),
    }),
    { call: ONE },
  )
}

const simple = (op: string, nonNegative = false): Kind =>
  unary({}, (graph, x) => graph.node(op, [x]), nonNegative)

const number = (graph: OnnxGraph, value: number): string => graph.floats([value], [])

type Binary = (graph: OnnxGraph, a: string, b: string) => string

function binary(apply: Binary, keepsSign = false): Kind {
  return kind(
    {},
    (_, inputs, layer) =>
      planBroadcast(inputs, layer, ([a = '', b = ''], graph) => apply(graph, a, b), keepsSign),
    {
      inputs: [2, 2],
      call: TWO,
    },
  )
}

function planBroadcast(
  inputs: Inputs,
  layer: Parameters<Kind['plan']>[0],
  apply: (tensors: readonly string[], graph: OnnxGraph) => string,
  keepsSign = false,
): Plan {
  const { shape, batched } = broadcastOperands(layer, inputs)
  return {
    shape,
    ...batchless({ batched }),
    emit: ({ graph, inputs: values }) =>
      combined(
        graph,
        values,
        { shape, batched },
        (tensors) => apply(tensors, graph),
        keepsSign && values.every((value) => value.nonNegative),
      ),
  }
}

const node =
  (op: string): Binary =>
  (graph, a, b) =>
    graph.node(op, [a, b])

/** 1 where the comparison holds, and 0 elsewhere. */
const comparison = (op: string): Kind =>
  binary((graph, a, b) => graph.node('Cast', [graph.node(op, [a, b])], { to: FLOAT }))

const truth = (graph: OnnxGraph, x: string): string => graph.node('Cast', [x], { to: BOOL })

const logical = (op: string): Kind =>
  binary((graph, a, b) =>
    graph.node('Cast', [graph.node(op, [truth(graph, a), truth(graph, b)])], { to: FLOAT }),
  )

const floorDivided: Binary = (graph, a, b) => graph.node('Floor', [graph.node('Div', [a, b])])

const where = kind(
  {},
  (_, inputs, layer) =>
    planBroadcast(inputs, layer, ([condition = '', a = '', b = ''], graph) =>
      graph.node('Where', [truth(graph, condition), a, b]),
    ),
  { inputs: [3, 3], call: { tensors: ['condition', 'x1', 'x2'] } },
)

/** The number of a type in ONNX. Whole numbers of fewer bits wrap around, which float32 does not. */
const TYPES: ReadonlyMap<string, number> = new Map([
  ['float16', FLOAT16],
  ['bfloat16', BFLOAT16],
  ['int32', INT32],
  ['int64', INT64],
  ['bool', BOOL],
])

const FLOATS: ReadonlySet<string> = new Set(['float32', 'float64'])

const cast = kind(
  { dtype: text('float32') },
  ({ dtype }, [x], layer) => {
    const type = TYPES.get(dtype)
    if (type === undefined && !FLOATS.has(dtype))
      throw notSupported(
        layer,
        `it casts to ${quote(dtype)}; only ${[...FLOATS, ...TYPES.keys()].join(', ')} are supported`,
      )
    return {
      shape: x.shape,
      ...batchless(x),
      emit: ({ graph, inputs: [value] }) =>
        type === undefined
          ? value
          : mapped(graph, value, value.nonNegative, (tensor) =>
              graph.node('Cast', [graph.node('Cast', [tensor], { to: type })], { to: FLOAT }),
            ),
    }
  },
  { call: ONE },
)

const softmaxes = (op: 'Softmax' | 'LogSoftmax'): Kind =>
  kind(
    { axis: integers },
    ({ axis }, [x], layer) => {
      const axes = (axis ?? [-1]).map((one) => axisIn(layer, x, one))
      return {
        shape: x.shape,
        ...batchless(x),
        emit: ({ graph, inputs: [value] }) => softmaxOver(graph, unflattened(graph, value), x, axes, op),
      }
    },
    { call: ONE },
  )

const sparsemaxOperation = kind(
  { axis: integer(-1) },
  ({ axis: written }, [x], layer) => {
    const axis = axisIn(layer, x, written)
    return {
      shape: x.shape,
      ...batchless(x),
      emit: ({ graph, inputs: [value] }) =>
        mapped(graph, unflattened(graph, value), true, (tensor, order) =>
          sparsemax(
            graph,
            tensor,
            order === 'planes' && x.shape.length === 3 ? planesAxis(axis) : plainAxis(axis, x.batched),
            x.shape[axis] ?? 1,
          ),
        ),
    }
  },
  { call: ONE },
)

/** The first half along an axis, times the sigmoid of the second half. */
const glu = kind(
  { axis: integer(-1) },
  ({ axis: written }, [x], layer) => {
    const axis = axisIn(layer, x, written)
    const size = x.shape[axis] ?? 0
    if (size % 2 !== 0) throw layerError(layer, `axis ${written} must have an even size, and has ${size}`)
    const shape = x.shape.map((length, i) => (i === axis ? length / 2 : length))
    return {
      shape,
      ...batchless(x),
      emit({ graph, inputs: [value] }) {
        const { order, tensor } = anyOrder(graph, unflattened(graph, value))
        const place = order === 'planes' && shape.length === 3 ? planesAxis(axis) : plainAxis(axis, x.batched)
        const half = (from: number) =>
          graph.node('Slice', [
            tensor,
            ...[[from], [from + size / 2], [place]].map((list) => graph.integers(list)),
          ])
        const gated = graph.node('Mul', [half(0), graph.node('Sigmoid', [half(size / 2)])])
        return { shape, nonNegative: false, tensors: { [order]: gated }, ...batchless(x) }
      },
    }
  },
  { call: ONE },
)

const clipping = kind(
  { x_min: decimal(), x_max: decimal() },
  ({ x_min, x_max }, [x]) => ({
    shape: x.shape,
    ...batchless(x),
    emit: ({ graph, inputs: [value] }) =>
      mapped(graph, value, x_min >= 0, (tensor) => clip(graph, tensor, x_min, x_max)),
  }),
  { call: { tensors: ['x'], rest: ['x_min', 'x_max'] } },
)

const zerosLike = (graph: OnnxGraph, x: string): string =>
  graph.node('ConstantOfShape', [graph.node('Shape', [x])])

const added = (graph: OnnxGraph, x: string, value: number): string =>
  graph.node('Add', [x, number(graph, value)])

const minus = (graph: OnnxGraph, x: string, value: number): string =>
  graph.node('Sub', [x, number(graph, value)])

export const OPERATIONS: readonly (readonly [string, Kind])[] = [
  ['Absolute', simple('Abs', true)],
  ['Abs', simple('Abs', true)],
  ['Add', binary(node('Add'), true)],
  ['Cast', cast],
  ['Ceil', simple('Ceil')],
  ['Celu', unary({ alpha: decimal(1) }, (graph, x, { alpha }) => celu(graph, x, alpha))],
  ['Clip', clipping],
  ['Cos', simple('Cos')],
  ['Divide', binary(node('Div'), true)],
  [
    'Elu',
    unary({ alpha: decimal(1) }, (graph, x, { alpha }) =>
      graph.node('Elu', [x], { alpha: { float: alpha } }),
    ),
  ],
  ['Equal', comparison('Equal')],
  ['Erf', simple('Erf')],
  ['Exp', simple('Exp', true)],
  ['Expm1', unary({}, (graph, x) => minus(graph, graph.node('Exp', [x]), 1))],
  ['Floor', simple('Floor')],
  ['FloorDivide', binary(floorDivided)],
  [
    'Gelu',
    unary({ approximate: flag(true) }, (graph, x, { approximate }) =>
      graph.node('Gelu', [x], { approximate: approximate ? 'tanh' : 'none' }),
    ),
  ],
  ['Glu', glu],
  ['Greater', comparison('Greater')],
  ['GreaterEqual', comparison('GreaterOrEqual')],
  [
    'HardShrink',
    unary({ threshold: decimal(0.5) }, (graph, x, { threshold }) => shrink(graph, x, threshold, 0)),
  ],
  ['HardSigmoid', unary({}, (graph, x) => hardSigmoid(graph, x, 1 / 6), true)],
  ['HardSilu', simple('HardSwish')],
  ['HardTanh', unary({}, (graph, x) => clip(graph, x, -1, 1))],
  ['Identity', unary({}, (graph, x) => graph.node('Identity', [x]))],
  [
    'LeakyRelu',
    unary({ negative_slope: decimal(0.2) }, (graph, x, { negative_slope }) =>
      leaky(graph, x, negative_slope),
    ),
  ],
  ['Less', comparison('Less')],
  ['LessEqual', comparison('LessOrEqual')],
  ['Log', simple('Log')],
  ['Log1p', unary({}, (graph, x) => graph.node('Log', [added(graph, x, 1)]))],
  ['LogSigmoid', unary({}, logSigmoid)],
  ['LogSoftmax', softmaxes('LogSoftmax')],
  ['LogicalAnd', logical('And')],
  [
    'LogicalNot',
    unary({}, (graph, x) => graph.node('Cast', [graph.node('Not', [truth(graph, x)])], { to: FLOAT }), true),
  ],
  ['LogicalOr', logical('Or')],
  ['Maximum', binary(node('Max'), true)],
  ['Minimum', binary(node('Min'), true)],
  ['Mish', simple('Mish')],
  ['Mod', binary((graph, a, b) => graph.node('Sub', [a, graph.node('Mul', [floorDivided(graph, a, b), b])]))],
  ['Multiply', binary(node('Mul'), true)],
  ['Negative', simple('Neg')],
  [
    'NotEqual',
    binary((graph, a, b) =>
      graph.node('Cast', [graph.node('Not', [graph.node('Equal', [a, b])])], { to: FLOAT }),
    ),
  ],
  [
    'OnesLike',
    unary(
      { dtype: only(null, 'it changes the type') },
      (graph, x) => added(graph, zerosLike(graph, x), 1),
      true,
    ),
  ],
  ['Power', binary(node('Pow'))],
  ['Reciprocal', simple('Reciprocal')],
  ['Relu', simple('Relu', true)],
  ['Relu6', unary({}, (graph, x) => clip(graph, x, 0, 6), true)],
  [
    'Round',
    unary({ decimals: only(0, 'only whole numbers are supported') }, (graph, x) => graph.node('Round', [x])),
  ],
  ['Rsqrt', unary({}, (graph, x) => graph.node('Reciprocal', [graph.node('Sqrt', [x])]), true)],
  ['Selu', simple('Selu')],
  ['Sigmoid', simple('Sigmoid', true)],
  ['Sign', simple('Sign')],
  ['Silu', unary({}, swish)],
  ['Sin', simple('Sin')],
  [
    'SoftShrink',
    unary({ threshold: decimal(0.5) }, (graph, x, { threshold }) => shrink(graph, x, threshold, threshold)),
  ],
  ['Softmax', softmaxes('Softmax')],
  ['Softplus', simple('Softplus', true)],
  ['Softsign', simple('Softsign')],
  ['SparsePlus', unary({}, sparsePlus, true)],
  ['SparseSigmoid', unary({}, (graph, x) => hardSigmoid(graph, x, 0.5), true)],
  ['Sparsemax', sparsemaxOperation],
  ['Sqrt', simple('Sqrt', true)],
  ['Square', unary({}, (graph, x) => graph.node('Mul', [x, x]), true)],
  ['Squareplus', unary({ b: decimal(4) }, (graph, x, { b }) => squarePlus(graph, x, b), true)],
  ['Subtract', binary(node('Sub'))],
  ['Tanh', simple('Tanh')],
  ['TanhShrink', unary({}, (graph, x) => graph.node('Sub', [x, graph.node('Tanh', [x])]))],
  [
    'Threshold',
    unary({ threshold: decimal(), default_value: decimal() }, (graph, x, { threshold, default_value }) =>
      graph.node('Where', [
        graph.node('Greater', [x, number(graph, threshold)]),
        x,
        number(graph, default_value),
      ]),
    ),
  ],
  ['TrueDivide', binary(node('Div'), true)],
  ['Where', where],
  ['ZerosLike', unary({ dtype: only(null, 'it changes the type') }, zerosLike, true)],
]
