import type { Layer } from '../../models/networks/layer-list.ts'
import { axesIn, axisIn, elements, plainAxis, planesAxis } from '../axes.ts'
import type { Call, Inputs, Kind, Operand, Option, Plan } from '../kind.ts'
import { kind } from '../kind.ts'
import { badField, layerError, notSupported, quote, shapeText } from '../layer-config.ts'
import type { OnnxGraph } from '../onnx-graph.ts'
import { anything, decimal, flag, integer, integers, only, optional, pair, whole, word } from '../options.ts'
import { plain, plainValue, planes, planesValue, reshape, type Value } from '../value.ts'
import { image } from './convolution.ts'
import { planConcatenation } from './merge.ts'
import { planPooling } from './pooling.ts'
import { interpolation, planAspect } from './resizing.ts'
import { planPermutation, planReshape } from './shape.ts'

/* Operations that move numbers to other places, and few others. */

const CALL: Call = { tensors: ['x'] }

const batchless = (x: Operand): { unbatched?: true } => (x.batched ? {} : { unbatched: true })

/** Takes numbers of an axis at given places, in any order and number. */
function gathered(
  graph: OnnxGraph,
  value: Value,
  x: Operand,
  axis: number,
  indices: readonly number[],
): Value {
  const shape = x.shape.map((size, i) => (i === axis ? indices.length : size))
  const { nonNegative } = value
  const at = graph.integers(indices)
  if (x.shape.length === 3 && x.batched && value.tensors.plain === undefined) {
    const tensor = graph.node('Gather', [planes(graph, value), at], { axis: planesAxis(axis) })
    return planesValue(shape, tensor, nonNegative)
  }
  const tensor = graph.node('Gather', [plain(graph, value), at], { axis: plainAxis(axis, x.batched) })
  return plainValue(shape, tensor, { nonNegative, ...batchless(x) })
}

function allPlaces(layer: Layer, x: Operand, axis: number): number[] {
  const length = x.shape[axis] ?? 0
  mustBeModest(layer, length)
  return range(length)
}

function planGather(x: Operand, picks: readonly { axis: number; indices: readonly number[] }[]): Plan {
  const shape = picks.reduce<readonly number[]>(
    (sizes, { axis, indices }) => sizes.map((size, i) => (i === axis ? indices.length : size)),
    x.shape,
  )
  return {
    shape,
    ...batchless(x),
    emit: ({ graph, inputs: [input] }) =>
      picks.reduce(
        (value, { axis, indices }) => gathered(graph, value, { ...x, shape: value.shape }, axis, indices),
        input,
      ),
  }
}

const range = (length: number): number[] => Array.from({ length }, (_, i) => i)

const modulo = (index: number, length: number): number => ((index % length) + length) % length

const flip = kind(
  { axis: integers },
  ({ axis }, [x], layer) => {
    if (!axis) throw notSupported(layer, 'it flips the batch')
    return planGather(
      x,
      axesIn(layer, x, axis).map((one) => ({ axis: one, indices: allPlaces(layer, x, one).reverse() })),
    )
  },
  { call: CALL },
)

const roll = kind(
  { shift: integers, axis: integers },
  ({ shift, axis }, [x], layer) => {
    if (!axis || !shift) throw notSupported(layer, 'it has no axis, so that it would mix images')
    if (shift.length !== 1 && shift.length !== axis.length)
      throw layerError(layer, `it has ${shift.length} shifts for ${axis.length} axes`)
    const picks = axis.map((written, i) => {
      const one = axisIn(layer, x, written)
      const length = x.shape[one] ?? 1
      const by = shift[i] ?? shift[0] ?? 0
      return { axis: one, indices: allPlaces(layer, x, one).map((at) => modulo(at - by, length)) }
    })
    return planGather(x, picks)
  },
  { call: CALL },
)

const repeat = kind(
  { repeats: whole(1), axis: integer() },
  ({ repeats, axis: written }, [x], layer) => {
    const axis = axisIn(layer, x, written)
    const length = (x.shape[axis] ?? 1) * repeats
    mustBeModest(layer, length)
    return planGather(x, [{ axis, indices: range(length).map((i) => Math.floor(i / repeats)) }])
  },
  { call: CALL },
)

const tile = kind(
  { repeats: integers },
  ({ repeats }, [x], layer) => {
    const [batch, ...times] = repeats ?? []
    if (batch !== 1 || times.length !== x.shape.length || !x.batched)
      throw notSupported(layer, 'repeats must have 1 for the batch and a number for each other axis')
    const picks = times.map((count, axis) => {
      const length = x.shape[axis] ?? 1
      if (count < 1) throw layerError(layer, `repeats must be above 0, and is ${count}`)
      mustBeModest(layer, length * count)
      return { axis, indices: range(length * count).map((i) => i % length) }
    })
    return planGather(x, picks)
  },
  { call: CALL },
)

/** A list of places is part of the model: 8 MB. */
const MAX_LENGTH = 2 ** 20

function mustBeModest(layer: Layer, length: number): void {
  if (length > MAX_LENGTH)
    throw layerError(layer, `an axis would have ${length} places, the limit is ${MAX_LENGTH}`)
}

const take = kind(
  { axis: integers, indices: anything },
  ({ axis: written, indices }, [x], layer) => {
    const [only, another] = written ?? []
    if (only === undefined || another !== undefined)
      throw notSupported(layer, 'it takes from all axes at once, which would mix images')
    const axis = axisIn(layer, x, only)
    const length = x.shape[axis] ?? 0
    const list: unknown[] = Array.isArray(indices) ? indices : [indices]
    const places = list.map((index) => {
      if (typeof index === 'number' && Number.isInteger(index) && index >= -length && index < length)
        return modulo(index, length)
      throw notSupported(layer, `it takes place ${quote(index)} of an axis of ${length}`)
    })
    if (Array.isArray(indices)) return planGather(x, [{ axis, indices: places }])
    return planIndexing(layer, x, [...x.shape.map((_, i) => (i === axis ? (places[0] ?? 0) : EVERYTHING))])
  },
  { call: { tensors: ['x'], rest: ['indices'] } },
)

/** One entry of an index such as `x[:, 1:-1, 0]`: a place, a range, or an axis that is added. */
type Entry = number | 'new' | { start: number | null; stop: number | null; step: number | null }

const EVERYTHING: Entry = { start: null, stop: null, step: null }

const entries: Option<readonly (Entry | '...')[]> = (layer, field) => {
  const value = layer.config[field]
  const list: unknown[] = Array.isArray(value) ? value : [value]
  if (list.length <= 16 && list.every(isEntry)) return list
  throw badField(layer, field, 'places and ranges', value)
}

function isEntry(value: unknown): value is Entry | '...' {
  if (value === 'new' || value === '...' || Number.isSafeInteger(value)) return true
  if (typeof value !== 'object' || value === null) return false
  return ['start', 'stop', 'step'].every((key) => {
    const bound = (value as Record<string, unknown>)[key]
    return bound === null || Number.isSafeInteger(bound)
  })
}

const getItem = kind(
  { key: entries },
  ({ key }, [x], layer) => {
    const rank = x.shape.length + (x.batched ? 1 : 0)
    const used = key.filter((entry) => entry !== '...' && entry !== 'new').length
    if (used > rank || key.filter((entry) => entry === '...').length > 1)
      throw layerError(layer, `its index does not fit an input of shape ${shapeText(x.shape)}`)
    const filler = Array<Entry>(rank - used).fill(EVERYTHING)
    const full = key.includes('...')
      ? key.flatMap((entry) => (entry === '...' ? filler : [entry]))
      : [...(key as readonly Entry[]), ...filler]
    if (!x.batched) return planIndexing(layer, x, full)
    const [batch, ...rest] = full
    if (typeof batch !== 'object' || batch.start || batch.stop !== null || (batch.step ?? 1) !== 1)
      throw notSupported(layer, 'its index takes some images of the batch')
    return planIndexing(layer, x, rest)
  },
  { call: { tensors: ['x'], rest: ['key'] } },
)

function planIndexing(layer: Layer, x: Operand, index: readonly Entry[]): Plan {
  const sizes = [...x.shape]
  const shape: number[] = []
  const picks: { axis: number; indices: number[] }[] = []
  let axis = 0
  for (const entry of index) {
    if (entry === 'new') {
      shape.push(1)
      continue
    }
    const length = sizes[axis] ?? 0
    if (typeof entry === 'object' && isWhole(entry)) {
      shape.push(length)
      axis++
      continue
    }
    mustBeModest(layer, length)
    const indices = placesOf(entry, length)
    if (indices.length === 0 || indices.some((at) => at < 0 || at >= length))
      throw layerError(layer, `its index takes nothing of axis ${axis + 1}, which has ${length} places`)
    if (indices.length !== length || indices.some((at, i) => at !== i)) picks.push({ axis, indices })
    if (typeof entry !== 'number') shape.push(indices.length)
    axis++
  }
  const unchangedRank = index.every((entry) => typeof entry === 'object')
  const gather = planGather(x, picks)
  if (unchangedRank) return gather
  return {
    shape,
    ...batchless(x),
    async emit(emission) {
      const value = await gather.emit(emission)
      return reshaped(emission.graph, value, x, shape)
    },
  }
}

const isWhole = ({ start, stop, step }: Exclude<Entry, number | 'new'>): boolean =>
  (start ?? 0) === 0 && stop === null && (step ?? 1) === 1

/** The places of a range, by Python's rules. */
function placesOf(entry: Exclude<Entry, 'new'>, length: number): number[] {
  if (typeof entry === 'number') return [entry < 0 ? entry + length : entry]
  const step = entry.step ?? 1
  if (step === 0) return []
  const bound = (value: number | null, otherwise: number, least: number, most: number) => {
    if (value === null) return otherwise
    return Math.min(Math.max(value < 0 ? value + length : value, least), most)
  }
  const start = step > 0 ? bound(entry.start, 0, 0, length) : bound(entry.start, length - 1, -1, length - 1)
  const stop = step > 0 ? bound(entry.stop, length, 0, length) : bound(entry.stop, -1, -1, length - 1)
  const places: number[] = []
  for (let at = start; step > 0 ? at < stop : at > stop; at += step) places.push(at)
  return places
}

function reshaped(graph: OnnxGraph, value: Value, x: Operand, shape: readonly number[]): Value {
  if (x.batched) return reshape(graph, value, shape)
  const { nonNegative } = value
  if (shape.length === 0)
    return plainValue(shape, graph.node('Squeeze', [plain(graph, value)]), { nonNegative, unbatched: true })
  const tensor = graph.node('Reshape', [plain(graph, value), graph.integers(shape)])
  return plainValue(shape, tensor, { nonNegative, unbatched: true })
}

const planReshaped = (x: Operand, shape: readonly number[]): Plan => ({
  shape,
  ...batchless(x),
  emit: ({ graph, inputs: [value] }) => reshaped(graph, value, x, shape),
})

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

/** One of the parts into which an axis is split. The reader of the file makes a layer of each part. */
const split = kind(
  { indices_or_sections: anything, axis: integer(0), part: whole(0, 0) },
  ({ indices_or_sections: sections, axis: written, part }, [x], layer) => {
    const axis = axisIn(layer, x, written)
    const length = x.shape[axis] ?? 0
    mustBeModest(layer, length)
    const bounds = boundsOf(sections, length, layer)
    const [from, to] = [bounds[part], bounds[part + 1]]
    if (from === undefined || to === undefined || from >= to)
      throw layerError(layer, `its part ${part} has no places`)
    return planGather(x, [{ axis, indices: range(to - from).map((i) => from + i) }])
  },
  { call: CALL },
)

function boundsOf(sections: unknown, length: number, layer: Layer): number[] {
  if (typeof sections === 'number' && Number.isInteger(sections) && sections > 0 && length % sections === 0)
    return range(sections + 1).map((i) => (i * length) / sections)
  if (Array.isArray(sections) && sections.every((at) => Number.isInteger(at) && at >= 0 && at <= length))
    return [0, ...(sections as number[]), length]
  throw layerError(layer, `it cannot split ${length} places at ${quote(sections)}`)
}

const pad = kind(
  {
    pad_width: anything,
    mode: word('constant', 'reflect', 'symmetric'),
    constant_values: optional(decimal()),
  },
  ({ pad_width, mode, constant_values: fill }, [x], layer) => {
    const [batch, ...by] = widths(pad_width, x.shape.length + 1, layer)
    if (batch?.[0] !== 0 || batch[1] !== 0) throw notSupported(layer, 'it pads the batch')
    if (mode !== 'constant') {
      const picks = by.flatMap(([before, after], axis) =>
        before + after === 0
          ? []
          : [{ axis, indices: mirrored(layer, x.shape[axis] ?? 1, before, after, mode) }],
      )
      return planGather(x, picks)
    }
    const shape = x.shape.map((size, axis) => size + (by[axis]?.[0] ?? 0) + (by[axis]?.[1] ?? 0))
    return {
      shape,
      emit({ graph, inputs: [value] }) {
        const zeros = [0, ...by.map(([before]) => before), 0, ...by.map(([, after]) => after)]
        const tensor = graph.node('Pad', [
          plain(graph, value),
          graph.integers(zeros),
          graph.floats([fill ?? 0], []),
        ])
        return plainValue(shape, tensor, { nonNegative: value.nonNegative && (fill ?? 0) >= 0 })
      },
    }
  },
  { call: { tensors: ['x'], rest: ['constant_values'] } },
)

/** Pairs of numbers before and after each axis. */
function widths(written: unknown, rank: number, layer: Layer): [number, number][] {
  const isWidth = (value: unknown): value is number => Number.isInteger(value) && Number(value) >= 0
  const list: unknown[] = Array.isArray(written) ? written : [written]
  const each = list.length === 1 ? Array<unknown>(rank).fill(list[0]) : list
  const pairs = each.map((one) => (Array.isArray(one) ? (one as unknown[]) : [one, one]))
  if (pairs.length === rank && pairs.every((one) => one.length === 2 && one.every(isWidth)))
    return pairs as [number, number][]
  throw layerError(layer, `pad_width ${quote(written)} does not fit an input of ${rank} axes`)
}

/** The places of an axis that is continued by its mirror image, with the last number once or twice. */
function mirrored(
  layer: Layer,
  length: number,
  before: number,
  after: number,
  mode: 'reflect' | 'symmetric',
) {
  const most = mode === 'reflect' ? length - 1 : length
  if (before > most || after > most)
    throw layerError(layer, `it mirrors ${Math.max(before, after)} places of an axis of ${length}`)
  mustBeModest(layer, before + length + after)
  const twice = mode === 'reflect' ? 0 : 1
  return range(before + length + after).map((i) => {
    const at = i - before
    if (at < 0) return -at - twice
    return at < length ? at : 2 * length - 2 - at + twice
  })
}

const matmul = kind(
  {},
  (_, [a, b = a], layer) => {
    const whole = (x: Operand) => (x.batched ? [1, ...x.shape] : [...x.shape])
    const [left, right] = [whole(a), whole(b)]
    if (left.length < 2 || right.length < 2) throw notSupported(layer, 'an input is a vector without batch')
    if (
      (a.batched && b.batched && (left.length !== right.length || left.length < 3)) ||
      (b.batched && right.length < 3)
    )
      throw notSupported(layer, 'its inputs would be multiplied along the batch, which would mix images')
    if (left.at(-1) !== right.at(-2))
      throw layerError(
        layer,
        `inputs of shapes ${shapeText(a.shape)} and ${shapeText(b.shape)} do not fit together`,
      )
    const batched = a.batched || b.batched
    const longer = left.length >= right.length ? left : right
    if (
      (batched && !(longer === left ? a : b).batched) ||
      right.slice(0, -2).some((size, i) => size !== 1 && longer[i] !== size && left.length > 2)
    )
      throw notSupported(
        layer,
        `inputs of shapes ${shapeText(a.shape)} and ${shapeText(b.shape)} are not supported`,
      )
    const result = [...longer.slice(0, -2), left.at(-2) ?? 1, right.at(-1) ?? 1]
    const shape = batched ? result.slice(1) : result
    return {
      shape,
      ...(batched ? {} : { unbatched: true as const }),
      emit({ graph, inputs: [x, y = x] }) {
        const tensor = graph.node('MatMul', [plain(graph, x), plain(graph, y)])
        return plainValue(shape, tensor, batched ? {} : { unbatched: true })
      },
    }
  },
  { inputs: [2, 2], call: { tensors: ['x1', 'x2'] } },
)

const EQUATION = /^[a-zA-Z]+(,[a-zA-Z]+)*->[a-zA-Z]*$/

const einsum = kind(
  { subscripts: anything },
  ({ subscripts }, inputs, layer) => {
    const equation = typeof subscripts === 'string' ? subscripts.replaceAll(' ', '') : ''
    if (!EQUATION.test(equation) || equation.length > 100)
      throw notSupported(layer, `its equation is ${quote(subscripts)}`)
    const [from = '', to = ''] = equation.split('->')
    const terms = from.split(',')
    const sizes = new Map<string, number>()
    const batch = to[0] ?? ''
    for (const [i, x] of inputs.entries()) {
      const letters = [...(terms[i] ?? '')]
      const own = x.batched ? letters.slice(1) : letters
      if (own.length !== x.shape.length || terms.length !== inputs.length)
        throw layerError(layer, `its equation ${quote(equation)} does not fit its inputs`)
      if (x.batched ? letters[0] !== batch || own.includes(batch) : own.includes(batch))
        throw notSupported(layer, `its equation ${quote(equation)} would mix images`)
      for (const [axis, letter] of own.entries()) {
        const size = x.shape[axis] ?? 1
        if ((sizes.get(letter) ?? size) !== size)
          throw layerError(layer, `its equation ${quote(equation)} does not fit its inputs`)
        sizes.set(letter, size)
      }
    }
    if (!inputs.some(({ batched }) => batched)) throw notSupported(layer, 'all its inputs are constants')
    const shape = [...to.slice(1)].map((letter) => {
      const size = sizes.get(letter)
      if (size !== undefined) return size
      throw layerError(layer, `its equation ${quote(equation)} has an unknown axis ${letter}`)
    })
    return {
      shape,
      emit: ({ graph, inputs: values }) =>
        plainValue(
          shape,
          graph.node(
            'Einsum',
            values.map((value) => plain(graph, value)),
            { equation },
          ),
        ),
    }
  },
  { inputs: [1, 8], call: { tensors: 'list' } },
)

const poolOptions = {
  pool_size: pair(1),
  strides: optional(pair(1)),
  padding: word('valid', 'same'),
  data_format: lastOnly(),
}

function lastOnly(): Option<unknown> {
  return (layer, field) =>
    layer.config[field] === 'channels_last'
      ? undefined
      : only(null, 'only channels_last is supported')(layer, field)
}

const averagePool = kind(poolOptions, (o, [x], layer) => planPooling('average', o, x, layer), { call: CALL })

const maxPool = kind(poolOptions, (o, [x], layer) => planPooling('max', o, x, layer), { call: CALL })

const resize = kind(
  {
    size: pair(1),
    interpolation,
    antialias: flag(false),
    crop_to_aspect_ratio: flag(false),
    pad_to_aspect_ratio: flag(false),
    fill_mode: only('constant', 'only a constant can be added'),
    fill_value: decimal(0),
    data_format: lastOnly(),
  },
  (o, [x], layer) =>
    planAspect(
      {
        size: o.size,
        interpolation: o.interpolation,
        antialias: o.antialias,
        crop: o.crop_to_aspect_ratio,
        pad: o.pad_to_aspect_ratio,
        fill: o.fill_value,
      },
      x,
      layer,
    ),
  { call: { tensors: ['images'] } },
)

/** How much of a grey comes from red, green and blue. */
const GREY = [0.2989, 0.587, 0.114]

const grey = kind(
  { data_format: lastOnly() },
  (_, [x], layer) => {
    const [height, width, channels] = image(layer, x)
    if (channels !== 3) throw layerError(layer, `it needs three channels and gets ${channels}`)
    const shape = [height, width, 1]
    return {
      shape,
      emit({ graph, inputs: [value] }) {
        const weighted = graph.node('Mul', [planes(graph, value), graph.floats(GREY, [3, 1, 1])])
        const tensor = graph.node('ReduceSum', [weighted, graph.integers([1])], { keepdims: 1 })
        return planesValue(shape, tensor, value.nonNegative)
      },
    }
  },
  { call: { tensors: ['images'] } },
)

export const REARRANGEMENTS: readonly (readonly [string, Kind])[] = [
  ['AveragePool', averagePool],
  ['Concatenate', concatenate],
  ['Einsum', einsum],
  ['ExpandDims', expandDims],
  ['Flip', flip],
  ['GetItem', getItem],
  ['Matmul', matmul],
  ['MaxPool', maxPool],
  ['Moveaxis', moveaxis],
  ['Pad', pad],
  ['RGBToGrayscale', grey],
  ['Repeat', repeat],
  ['Reshape', reshapeOperation],
  ['Resize', resize],
  ['Roll', roll],
  ['Split', split],
  ['Squeeze', squeeze],
  ['Stack', stack],
  ['Swapaxes', swapaxes],
  ['Take', take],
  ['Tile', tile],
  ['Transpose', transpose],
]
