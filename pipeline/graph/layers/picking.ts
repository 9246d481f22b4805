import type { Layer } from '../../models/networks/layer-list.ts'
import { axesIn, axisIn } from '../axes.ts'
import { type Call, type Kind, kind } from '../kind.ts'
import { layerError, notSupported, quote } from '../layer-config.ts'
import { anything, integer, integers, whole } from '../options.ts'
import { allPlaces, modulo, mustBeModest, planGather, range } from './gather.ts'

/* Operations that put the numbers of an axis into another order, repeat some, or leave some out. */

const CALL: Call = { tensors: ['x'] }

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

export const PICKS: readonly (readonly [string, Kind])[] = [
  ['Flip', flip],
  ['Repeat', repeat],
  ['Roll', roll],
  ['Split', split],
  ['Tile', tile],
]
