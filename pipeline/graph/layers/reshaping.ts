import type { Layer } from '../../models/networks/layer-list.ts'
import { axesIn, axisIn, elements } from '../axes.ts'
import { batchless, type Call, type Inputs, type Kind, kind, type Operand, type Plan } from '../kind.ts'
import { layerError, notSupported, shapeText } from '../layer-config.ts'
import type { OnnxGraph } from '../onnx-graph.ts'
import { integer, integers } from '../options.ts'
import { plain, plainValue, reshape, type Value } from '../value.ts'
import { range } from './gather.ts'
import { planConcatenation } from './merge.ts'
import { planPermutation, planReshape } from './shape.ts'

/* Operations that change the axes, and no number. */

const CALL: Call = { tensors: ['x'] }

/** The shape includes the batch, which is written as −1 or as the size of the batch. */
const reshapeOperation = kind(
  { newshape: integers },
  ({ newshape }, [x], layer) => {
    if (!newshape) throw layerError(layer, 'it has no shape')
    if (!x.batched) {
      const plan = planReshape(newshape, x, layer)
      return planReshaped(x, plan.shape)
    }
    const [batch, ...rest] = newshape
    const total = elements(x.shape)
    // With −1 for the batch, the other sizes must be those of one image.
    if (batch === undefined || (batch === -1 && elements(rest) !== total))
      throw notSupported(
        layer,
        `a reshape of an input of shape ${shapeText(x.shape)} to ${shapeText(newshape)} would mix images`,
      )
    if (rest.length === 0) return planReshaped(x, [])
    return planReshape(rest, x, layer)
  },
  { call: CALL },
)

const transpose = kind(
  { axes: integers },
  ({ axes }, [x], layer) => {
    const rank = x.shape.length + 1
    if (!axes) throw notSupported(layer, 'it moves the batch')
    const order = axes.map((axis) => (axis < 0 ? axis + rank : axis))
    if ([...order].sort((a, b) => a - b).join() !== range(rank).join() || !x.batched)
      throw layerError(layer, `axes ${shapeText(axes)} do not fit an input of shape ${shapeText(x.shape)}`)
    if (order[0] !== 0) throw notSupported(layer, 'it moves the batch')
    return planPermutation(
      order.slice(1).map((axis) => axis - 1),
      x,
    )
  },
  { call: CALL },
)

const swapaxes = kind(
  { axis1: integer(), axis2: integer() },
  ({ axis1, axis2 }, [x], layer) => {
    const [a, b] = [axisIn(layer, x, axis1, 'axis1'), axisIn(layer, x, axis2, 'axis2')]
    const order = x.shape.map((_, axis) => axis)
    order[a] = b
    order[b] = a
    return planPermutation(order, x)
  },
  { call: CALL },
)

const moveaxis = kind(
  { source: integers, destination: integers },
  ({ source, destination }, [x], layer) => {
    const from = (source ?? []).map((axis) => axisIn(layer, x, axis, 'source'))
    const to = (destination ?? []).map((axis) => axisIn(layer, x, axis, 'destination'))
    if (from.length !== to.length || from.length === 0)
      throw layerError(layer, 'source and destination must have as many axes')
    const order = x.shape.map((_, axis) => axis).filter((axis) => !from.includes(axis))
    const moves = from.map((axis, i) => ({ axis, to: to[i] ?? 0 })).sort((one, other) => one.to - other.to)
    for (const move of moves) order.splice(move.to, 0, move.axis)
    return planPermutation(order, x)
  },
  { call: CALL },
)

const expandDims = kind(
  { axis: integers },
  ({ axis }, [x], layer) => {
    const wanted = axis ?? []
    const rank = x.shape.length + wanted.length
    const places = axesIn(layer, { shape: Array<number>(rank).fill(1), batched: x.batched }, wanted)
    const shape = [...x.shape]
    for (const place of places) shape.splice(place, 0, 1)
    return planReshaped(x, shape)
  },
  { call: CALL },
)

const squeeze = kind(
  { axis: integers },
  ({ axis }, [x], layer) => {
    const places = axis
      ? axesIn(layer, x, axis)
      : x.shape.map((_, place) => place).filter((place) => x.shape[place] === 1)
    if (places.some((place) => x.shape[place] !== 1))
      throw layerError(layer, `it squeezes an axis of an input of shape ${shapeText(x.shape)} that is not 1`)
    return planReshaped(
      x,
      x.shape.filter((_, place) => !places.includes(place)),
    )
  },
  { call: CALL },
)

const concatenate = kind(
  { axis: integer(-1) },
  ({ axis }, inputs, layer) => planConcatenation(axis, inputs, layer),
  {
    inputs: [1, Number.POSITIVE_INFINITY],
    call: { tensors: 'list' },
  },
)

const stack = kind(
  { axis: integer(0) },
  ({ axis: written }, inputs, layer) => planStack(written, inputs, layer),
  { inputs: [1, Number.POSITIVE_INFINITY], call: { tensors: 'list' } },
)

function planStack(written: number, inputs: Inputs, layer: Layer): Plan {
  const [first] = inputs
  const axis = axisIn(layer, { ...first, shape: [...first.shape, 1] }, written)
  const longer = (shape: readonly number[]) => [...shape.slice(0, axis), 1, ...shape.slice(axis)]
  const each = inputs.map((x) => ({ ...x, shape: longer(x.shape) })) as unknown as Inputs
  const joined = planConcatenation(axis + (first.batched ? 1 : 0), each, layer)
  return {
    ...joined,
    emit: (emission) => {
      const [one, ...others] = emission.inputs
      const level = (value: Value) => reshaped(emission.graph, value, first, longer(value.shape))
      return joined.emit({ ...emission, inputs: [level(one), ...others.map(level)] })
    },
  }
}

const planReshaped = (x: Operand, shape: readonly number[]): Plan => ({
  shape,
  ...batchless(x),
  emit: ({ graph, inputs: [value] }) => reshaped(graph, value, x, shape),
})

export function reshaped(graph: OnnxGraph, value: Value, x: Operand, shape: readonly number[]): Value {
  if (x.batched) return reshape(graph, value, shape)
  const { nonNegative } = value
  if (shape.length === 0)
    return plainValue(shape, graph.node('Squeeze', [plain(graph, value)]), { nonNegative, unbatched: true })
  const tensor = graph.node('Reshape', [plain(graph, value), graph.integers(shape)])
  return plainValue(shape, tensor, { nonNegative, unbatched: true })
}

export const RESHAPINGS: readonly (readonly [string, Kind])[] = [
  ['Concatenate', concatenate],
  ['ExpandDims', expandDims],
  ['Moveaxis', moveaxis],
  ['Reshape', reshapeOperation],
  ['Squeeze', squeeze],
  ['Stack', stack],
  ['Swapaxes', swapaxes],
  ['Transpose', transpose],
]
