import { axesIn, axisIn, elements, plainAxis, planesAxis } from '../axes.ts'
import { alongAxes, mapped } from '../elementwise.ts'
import type { Affine, ExpectedArray, Kind, Operand, Plan, Read } from '../kind.ts'
import { batchless, kind, readRequired } from '../kind.ts'
import { layerError, notSupported, shapeText } from '../layer-config.ts'
import type { OnnxGraph } from '../onnx-graph.ts'
import { decimal, flag, integer, integers, numbers, only, optional, unused } from '../options.ts'
import { anyOrder, plain, plainValue, planes, planesValue, unflattened, type Value } from '../value.ts'

const batchNormalization = kind(
  {
    axis: integers,
    epsilon: decimal(1e-3),
    center: flag(true),
    scale: flag(true),
    fused: unused,
    virtual_batch_size: only(null, 'virtual batches are not supported'),
    adjustment: only(null, 'adjustments are not supported'),
    // Keras 1
    mode: only(0, 'only mode 0 is supported'),
  },
  (o, [x], layer) => {
    const [axis, another] = axesIn(layer, x, o.axis ?? [-1])
    if (axis === undefined || another !== undefined) throw notSupported(layer, 'it normalizes several axes')
    const array = (role: string, fixed?: true): ExpectedArray => ({
      role,
      shape: [x.shape[axis] ?? 1],
      ...(fixed && { fixed }),
    })
    const affine = {
      axis,
      /** gamma · (x − mean) / √(variance + epsilon) + beta. */
      async read(read: Read): Promise<Affine> {
        const [gamma, beta] = [await read('gamma'), await read('beta')]
        const mean = await readRequired(read, 'moving_mean')
        const variance = await readRequired(read, 'moving_variance')
        const factors = Float64Array.from(variance, (v, i) => (gamma?.[i] ?? 1) / Math.sqrt(v + o.epsilon))
        const shifts = Float64Array.from(mean, (m, i) => (beta?.[i] ?? 0) - m * (factors[i] ?? 1))
        return { factors, shifts }
      },
    }
    return {
      shape: x.shape,
      affine,
      arrays: [
        ...(o.scale ? [array('gamma')] : []),
        ...(o.center ? [array('beta')] : []),
        array('moving_mean', true),
        array('moving_variance', true),
      ],
      async emit({ graph, inputs: [value], read }) {
        const { factors, shifts } = await affine.read(read)
        if (x.shape.length === 3 && axis === 2 && anyOrder(graph, value).order === 'planes')
          return planesValue(x.shape, await scaledPlanes(graph, planes(graph, value), { factors, shifts }))
        return scaled(graph, value, { factors, shifts, shape: x.shape, axes: [axis] })
      },
    }
  },
)

/**
 * ONNX Runtime turns this operator into a convolution, and merges a rectifier after it; for Mul and Add, it would bring
 * the planes into another order and back. The mean is 0 and the variance 1, because the factors contain both.
 */
async function scaledPlanes(graph: OnnxGraph, tensor: string, { factors, shifts }: Affine): Promise<string> {
  const { length } = factors
  const along = (numbers: ArrayLike<number>) => graph.weights([length], [Float32Array.from(numbers)])
  const same = (number: number) => graph.floats(Array<number>(length).fill(number), [length])
  const operands = [tensor, await along(factors), await along(shifts), same(0), same(1)]
  return graph.node('BatchNormalization', operands, { epsilon: { float: 0 } })
}

interface Scaling {
  readonly factors: ArrayLike<number>
  readonly shifts: ArrayLike<number>
  readonly shape: readonly number[]
  readonly axes: readonly number[]
}

/** factor · x + shift, with numbers along some axes. */
function scaled(graph: OnnxGraph, value: Value, { factors, shifts, shape, axes }: Scaling): Value {
  return mapped(graph, unflattened(graph, value), false, (x, order) => {
    const along = (all: ArrayLike<number>) => alongAxes(graph, all, { shape, axes, order })
    return graph.node('Add', [graph.node('Mul', [x, along(factors)]), along(shifts)])
  })
}

/** x · scale + offset. Both are one number, or one number for each channel. */
const rescaling = kind({ scale: numbers(1), offset: numbers(0) }, ({ scale, offset }, [x], layer) => {
  const channels = x.shape.at(-1) ?? 1
  const listed = (value: number | number[], field: string): number[] => {
    const list = Array.isArray(value) ? value : [value]
    if (list.length === 1 || list.length === channels) return list
    throw notSupported(layer, `${field} has ${list.length} numbers for ${channels} channels`)
  }
  const [factors, shifts] = [listed(scale, 'scale'), listed(offset, 'offset')]
  return {
    shape: x.shape,
    emit: ({ graph, inputs: [value] }) =>
      scaled(graph, value, { factors, shifts, shape: x.shape, axes: [x.shape.length - 1] }),
  }
})

/** The smallest deviation by which Keras divides. */
const LEAST_DEVIATION = 1e-7

/** (x − mean) / deviation, with numbers from the configuration or from the file. */
const normalization = kind(
  {
    axis: integers,
    mean: optional(numbers()),
    variance: optional(numbers()),
    invert: flag(false),
    input_mean: optional(numbers()),
    input_variance: optional(numbers()),
  },
  (o, [x], layer) => {
    // An axis that is null is written as an empty list by Keras 3.
    const written = layer.config.axis === undefined ? [-1] : (o.axis ?? [])
    const axes = axesIn(layer, x, written)
    const shape = axes.map((axis) => x.shape[axis] ?? 1)
    const count = elements(shape)
    const [givenMean, givenVariance] = [o.mean ?? o.input_mean, o.variance ?? o.input_variance]
    if ((givenMean === undefined) !== (givenVariance === undefined))
      throw layerError(layer, 'it has only one of mean and variance')
    const listed = (value: number | number[]): number[] => {
      const list = Array.isArray(value) ? value : [value]
      // One number holds for all places.
      if (list.length === count || list.length === 1) return list
      throw layerError(layer, `it has ${list.length} numbers for axes of shape ${shapeText(shape)}`)
    }
    const given =
      givenMean === undefined || givenVariance === undefined
        ? undefined
        : { mean: listed(givenMean), variance: listed(givenVariance) }
    return {
      shape: x.shape,
      ...(!given && {
        arrays: [
          { role: 'mean', shape, fixed: true as const },
          { role: 'variance', shape, fixed: true as const },
          // How many images were counted. Never read.
          { role: 'count', shape: [], fixed: true as const },
        ],
      }),
      async emit({ graph, inputs: [value], read }) {
        const mean = given?.mean ?? (await readRequired(read, 'mean'))
        const variance = given?.variance ?? (await readRequired(read, 'variance'))
        const deviations = Float64Array.from(variance, (v) =>
          Math.max(Math.fround(Math.sqrt(v)), LEAST_DEVIATION),
        )
        return mapped(graph, unflattened(graph, value), false, (tensor, order) => {
          const along = (all: ArrayLike<number>) => alongAxes(graph, all, { shape: x.shape, axes, order })
          if (o.invert)
            return graph.node('Add', [graph.node('Mul', [tensor, along(deviations)]), along(mean)])
          return graph.node('Div', [graph.node('Sub', [tensor, along(mean)]), along(deviations)])
        })
      },
    }
  },
)

const layerNormalization = kind(
  {
    axis: integers,
    epsilon: decimal(1e-3),
    center: flag(true),
    scale: flag(true),
    rms_scaling: only(false, 'use RMSNormalization instead'),
  },
  (o, [x], layer) => {
    const axes = axesIn(layer, x, o.axis ?? [-1])
    const shape = axes.map((axis) => x.shape[axis] ?? 1)
    return {
      shape: x.shape,
      arrays: [
        ...(o.scale ? [{ role: 'gamma', shape }] : []),
        ...(o.center ? [{ role: 'beta', shape }] : []),
      ],
      async emit({ graph, inputs: [value], read }) {
        const gamma = (await read('gamma')) ?? new Float32Array(elements(shape)).fill(1)
        const scale = await graph.weights(shape, [gamma])
        const beta = await read('beta')
        const shift = beta ? [await graph.weights(shape, [beta])] : []
        return withAxesLast(graph, value, x, axes, (tensor) =>
          graph.node('LayerNormalization', [tensor, scale, ...shift], {
            axis: x.shape.length + 1 - axes.length,
            epsilon: { float: o.epsilon },
          }),
        )
      },
    }
  },
)

/** Applies an operation to a tensor in Keras' order whose last axes are the given ones, and undoes the change of order. */
function withAxesLast(
  graph: OnnxGraph,
  value: Value,
  { shape }: Operand,
  axes: readonly number[],
  apply: (tensor: string) => string,
): Value {
  const others = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis))
  const order = [...others, ...axes]
  const tensor = plain(graph, value)
  if (order.every((axis, i) => axis === i)) return plainValue(shape, apply(tensor))
  const perm = [0, ...order.map((axis) => axis + 1)]
  const back = perm.map((_, axis) => perm.indexOf(axis))
  const moved = graph.node('Transpose', [tensor], { perm })
  return plainValue(shape, graph.node('Transpose', [apply(moved)], { perm: back }))
}

/** x / √(mean of x² + epsilon) · scale. */
const rmsNormalization = kind({ axis: integers, epsilon: decimal(1e-6) }, (o, [x], layer) => {
  const axes = axesIn(layer, x, o.axis ?? [-1])
  const shape = axes.map((axis) => x.shape[axis] ?? 1)
  return {
    shape: x.shape,
    arrays: [{ role: 'scale', shape }],
    async emit({ graph, inputs: [value], read }) {
      const scale = await readRequired(read, 'scale')
      return mapped(graph, unflattened(graph, value), false, (tensor, order) => {
        const over = graph.integers(axes.map((axis) => placeOf(axis, x, order)))
        const mean = graph.node('ReduceMean', [graph.node('Mul', [tensor, tensor]), over], { keepdims: 1 })
        const root = graph.node('Sqrt', [graph.node('Add', [mean, graph.floats([o.epsilon], [])])])
        const factors = alongAxes(graph, scale, { shape: x.shape, axes, order })
        return graph.node('Mul', [graph.node('Div', [tensor, root]), factors])
      })
    },
  }
})

const placeOf = (axis: number, { shape, batched }: Operand, order: 'plain' | 'planes'): number =>
  order === 'planes' && shape.length === 3 ? planesAxis(axis) : plainAxis(axis, batched)

/** x divided by its length along some axes, which is never taken for shorter than epsilon. */
export function planUnit(x: Operand, axes: readonly number[], epsilon: number): Plan {
  return {
    shape: x.shape,
    ...batchless(x),
    emit: ({ graph, inputs: [value] }) =>
      mapped(graph, unflattened(graph, value), value.nonNegative, (tensor, order) => {
        const over = graph.integers(axes.map((axis) => placeOf(axis, x, order)))
        const length = graph.node('ReduceL2', [tensor, over], { keepdims: 1 })
        return graph.node('Div', [tensor, graph.node('Max', [length, graph.floats([epsilon], [])])])
      }),
  }
}

/** The root of Keras' 1e-12, which stands below the sum of squares. */
const unitNormalization = kind({ axis: integers }, ({ axis }, [x], layer) =>
  planUnit(x, axesIn(layer, x, axis ?? [-1]), 1e-12),
)

const groupNormalization = kind(
  {
    groups: integer(32),
    axis: integer(-1),
    epsilon: decimal(1e-3),
    center: flag(true),
    scale: flag(true),
  },
  (o, [x], layer) => {
    const axis = axisIn(layer, x, o.axis)
    const channels = x.shape[axis] ?? 1
    const groups = o.groups === -1 ? channels : o.groups
    if (groups < 1 || channels % groups !== 0)
      throw layerError(layer, `groups must divide ${channels} channels, and is ${o.groups}`)
    const array = (role: string) => ({ role, shape: [channels] })
    return {
      shape: x.shape,
      arrays: [...(o.scale ? [array('gamma')] : []), ...(o.center ? [array('beta')] : [])],
      async emit({ graph, inputs: [value], read }) {
        const ones = await graph.weights([groups], [new Float32Array(groups).fill(1)])
        const zeros = await graph.weights([groups], [new Float32Array(groups)])
        const normalize = (tensor: string, sizes: readonly number[]): string => {
          const grouped = graph.node('Reshape', [tensor, graph.integers([0, groups, -1])])
          const normal = graph.node('InstanceNormalization', [grouped, ones, zeros], {
            epsilon: { float: o.epsilon },
          })
          return graph.node('Reshape', [normal, graph.integers([0, ...sizes])])
        }
        const normal = groupwise(graph, value, x, axis, normalize)
        const [gamma, beta] = [await read('gamma'), await read('beta')]
        if (!gamma && !beta) return normal
        const factors = gamma ?? new Float32Array(channels).fill(1)
        const shifts = beta ?? new Float32Array(channels)
        return scaled(graph, normal, { factors, shifts, shape: x.shape, axes: [axis] })
      },
    }
  },
)

/** Applies an operation to a tensor whose channels come first. */
function groupwise(
  graph: OnnxGraph,
  value: Value,
  { shape }: Operand,
  axis: number,
  apply: (tensor: string, sizes: readonly number[]) => string,
): Value {
  if (shape.length === 3 && axis === 2) {
    const [height = 1, width = 1, channels = 1] = shape
    return planesValue(shape, apply(planes(graph, value), [channels, height, width]))
  }
  if (axis === 0) return plainValue(shape, apply(plain(graph, value), shape))
  const order = [axis, ...shape.map((_, i) => i).filter((i) => i !== axis)]
  const perm = [0, ...order.map((i) => i + 1)]
  const moved = graph.node('Transpose', [plain(graph, value)], { perm })
  const result = apply(
    moved,
    order.map((i) => shape[i] ?? 1),
  )
  return plainValue(shape, graph.node('Transpose', [result], { perm: perm.map((_, i) => perm.indexOf(i)) }))
}

/** A factor of its own for each channel, in ConvNeXt. */
const layerScale = kind({ init_values: unused, projection_dim: unused }, (_, [x]) => {
  const channels = x.shape.at(-1) ?? 1
  return {
    shape: x.shape,
    arrays: [{ role: 'gamma', shape: [channels] }],
    affine: {
      axis: x.shape.length - 1,
      async read(read) {
        const factors = Float64Array.from(await readRequired(read, 'gamma'))
        return { factors, shifts: new Float64Array(factors.length) }
      },
    },
    async emit({ graph, inputs: [value], read }) {
      const gamma = await readRequired(read, 'gamma')
      return mapped(graph, unflattened(graph, value), false, (tensor, order) =>
        graph.node('Mul', [
          tensor,
          alongAxes(graph, gamma, { shape: x.shape, axes: [x.shape.length - 1], order }),
        ]),
      )
    },
  }
})

export const NORMALIZATIONS: readonly (readonly [string, Kind])[] = [
  ['BatchNormalization', batchNormalization],
  ['GroupNormalization', groupNormalization],
  ['LayerNormalization', layerNormalization],
  ['LayerScale', layerScale],
  ['Normalization', normalization],
  ['RMSNormalization', rmsNormalization],
  ['Rescaling', rescaling],
  ['UnitNormalization', unitNormalization],
]
