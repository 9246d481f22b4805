import type { Layer } from '../../models/networks/layer-list.ts'
import { ACTIVATION_NAMES, activate, clip, leaky } from '../activations.ts'
import { axesIn, axisIn, plainAxis, planesAxis } from '../axes.ts'
import { alongAxes, mapped } from '../elementwise.ts'
import type { Kind, Operand, Option, Plan } from '../kind.ts'
import { batchless, kind, readRequired } from '../kind.ts'
import { layerError, notSupported, quote } from '../layer-config.ts'
import type { OnnxGraph } from '../onnx-graph.ts'
import { decimal, integers, isInner, optional } from '../options.ts'
import { plain, type Value } from '../value.ts'

/** A function that a layer applies to its own result. */
export interface Activation {
  readonly isLinear: boolean
  /** A larger number gives no smaller one. */
  readonly isRising: boolean
  /** Applied to a value of the shape of the layer's result. */
  apply(graph: OnnxGraph, value: Value): Value
}

/** Those that follow convolutions with a pooling layer after them. */
const RISING: ReadonlySet<string> = new Set(['leaky_relu', 'linear', 'relu', 'relu6', 'sigmoid', 'tanh'])

/** The option `activation`: a name, or a layer such as LeakyReLU with options of its own. */
export const activation: Option<Activation> = (layer, field) => {
  const value = layer.config[field] ?? 'linear'
  if (isInner(value)) return ofLayer({ ...value, name: layer.name, inputs: [] })
  if (typeof value === 'string' && ACTIVATION_NAMES.includes(value)) {
    return {
      isLinear: value === 'linear',
      isRising: RISING.has(value),
      apply: (graph, x) => activate(graph, x, value),
    }
  }
  throw notSupported(
    layer,
    `its ${field} ${quote(value)} is not supported. These are: ${ACTIVATION_NAMES.join(', ')}`,
  )
}

function ofLayer(layer: Layer): Activation {
  const found = PLAIN_ACTIVATIONS.get(layer.className)
  if (!found) throw notSupported(layer, `its activation is a layer of class ${layer.className}`)
  found.check(layer)
  return {
    isLinear: false,
    isRising: false,
    apply(graph, value) {
      const plan = found.plan(layer, [{ shape: value.shape, batched: true }], () => {
        throw layerError(layer, 'its activation has an inner layer')
      })
      const result = plan.emit({ graph, inputs: [value], read: async () => undefined })
      if (result instanceof Promise) throw layerError(layer, 'its activation needs weights')
      return result
    },
  }
}

const unchanged = (operand: Operand, emit: Plan['emit']): Plan => ({
  shape: operand.shape,
  ...batchless(operand),
  emit,
})

const activationLayer = kind({ activation }, ({ activation }, [x]) =>
  unchanged(x, ({ graph, inputs: [value] }) => activation.apply(graph, value)),
)

/** (x − threshold) · slope below the threshold, x above it, and never more than max_value. */
const relu = kind(
  {
    max_value: optional(decimal()),
    negative_slope: decimal(0),
    threshold: decimal(0),
  },
  ({ max_value: largest = Number.POSITIVE_INFINITY, negative_slope: slope, threshold }, [x], layer) => {
    if (largest < 0) throw layerError(layer, `max_value must be at least 0, and is ${largest}`)
    const bounded = largest < Number.POSITIVE_INFINITY
    return unchanged(x, ({ graph, inputs: [value] }) =>
      mapped(graph, value, slope === 0 && threshold >= 0, (tensor) => {
        if (slope === 0 && threshold === 0)
          return bounded ? clip(graph, tensor, 0, largest) : graph.node('Relu', [tensor])
        const bent = bend(graph, tensor, slope, threshold)
        return bounded ? graph.node('Min', [bent, graph.floats([largest], [])]) : bent
      }),
    )
  },
)

function bend(graph: OnnxGraph, x: string, slope: number, threshold: number): string {
  if (threshold === 0) return leaky(graph, x, slope)
  const limit = graph.floats([threshold], [])
  const below = graph.node('Mul', [graph.node('Sub', [x, limit]), graph.floats([slope], [])])
  return graph.node('Where', [graph.node('GreaterOrEqual', [x, limit]), x, below])
}

/** Keras 3 renamed alpha to negative_slope. */
const leakyRelu = kind(
  { negative_slope: optional(decimal()), alpha: optional(decimal()) },
  ({ negative_slope, alpha }, [x]) =>
    unchanged(x, ({ graph, inputs: [value] }) =>
      mapped(graph, value, false, (tensor) => leaky(graph, tensor, negative_slope ?? alpha ?? 0.3)),
    ),
)

const elu = kind({ alpha: decimal(1) }, ({ alpha }, [x]) =>
  unchanged(x, ({ graph, inputs: [value] }) =>
    mapped(graph, value, false, (tensor) => graph.node('Elu', [tensor], { alpha: { float: alpha } })),
  ),
)

const thresholdedRelu = kind({ theta: decimal(1) }, ({ theta }, [x], layer) => {
  if (theta < 0) throw layerError(layer, `theta must be at least 0, and is ${theta}`)
  return unchanged(x, ({ graph, inputs: [value] }) =>
    mapped(graph, value, true, (tensor) =>
      graph.node('ThresholdedRelu', [tensor], { alpha: { float: theta } }),
    ),
  )
})

const softmax = kind({ axis: integers }, ({ axis }, [x], layer) => {
  const axes = axesIn(layer, x, axis ?? [-1])
  return unchanged(x, ({ graph, inputs: [value] }) => softmaxOver(graph, value, x, axes, 'Softmax'))
})

/** Softmax or LogSoftmax along one axis or several axes together. */
export function softmaxOver(
  graph: OnnxGraph,
  value: Value,
  { shape, batched }: Operand,
  axes: readonly number[],
  op: 'Softmax' | 'LogSoftmax',
): Value {
  const nonNegative = op === 'Softmax'
  // A flattened image has another order of its numbers, and a softmax over all of them does not mind.
  return mapped(graph, value, nonNegative, (tensor, order) => {
    const places = axes.map((axis) =>
      order === 'planes' && shape.length === 3 ? planesAxis(axis) : plainAxis(axis, batched),
    )
    const [only, ...others] = places
    if (only !== undefined && others.length === 0) return graph.node(op, [tensor], { axis: only })
    const over = graph.integers(places)
    const largest = graph.node('ReduceMax', [tensor, over], { keepdims: 1 })
    const less = graph.node('Sub', [tensor, largest])
    const powers = graph.node('Exp', [less])
    const sum = graph.node('ReduceSum', [powers, over], { keepdims: 1 })
    if (op === 'Softmax') return graph.node('Div', [powers, sum])
    return graph.node('Sub', [less, graph.node('Log', [sum])])
  })
}

/** Below zero, x times a number of its own for each place, or for each place along the axes that are not shared. */
const prelu = kind({ shared_axes: integers }, ({ shared_axes }, [x], layer) => {
  const shared = new Set((shared_axes ?? []).map((axis) => axisIn(layer, x, axis, 'shared_axes')))
  const shape = x.shape.map((size, axis) => (shared.has(axis) ? 1 : size))
  const axes = x.shape.map((_, axis) => axis).filter((axis) => !shared.has(axis))
  return {
    shape: x.shape,
    arrays: [{ role: 'alpha', shape }],
    async emit({ graph, inputs: [input], read }) {
      const alpha = await readRequired(read, 'alpha')
      const value = input.flattened ? { ...input, tensors: { plain: plain(graph, input) } } : input
      return mapped(graph, value, false, (tensor, order) =>
        graph.node('PRelu', [tensor, alongAxes(graph, alpha, { shape: x.shape, axes, order })]),
      )
    },
  }
})

/** The activations that need no weights: they may be the activation of another layer. */
const PLAIN_ACTIVATIONS: ReadonlyMap<string, Kind> = new Map([
  ['ELU', elu],
  ['LeakyReLU', leakyRelu],
  ['ReLU', relu],
  ['Softmax', softmax],
  ['ThresholdedReLU', thresholdedRelu],
])

export const ACTIVATION_LAYERS: readonly (readonly [string, Kind])[] = [
  ['Activation', activationLayer],
  ...PLAIN_ACTIVATIONS,
  ['PReLU', prelu],
]
