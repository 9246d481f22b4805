import type { Layer } from '../../models/networks/layer-list.ts'
import { type Kind, kind } from '../kind.ts'
import { layerError, notSupported, quote } from '../layer-config.ts'
import { anything, decimal, optional, word } from '../options.ts'
import { plain, plainValue } from '../value.ts'
import { mustBeModest, planGather, range } from './gather.ts'

/* Numbers around a tensor: a constant, or the mirror image of the tensor. */

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

export const PADDINGS: readonly (readonly [string, Kind])[] = [['Pad', pad]]
