import type { Layer } from '../../models/networks/layer-list.ts'
import { axisIn } from '../axes.ts'
import { batchless, type Kind, kind, type Operand, type Option, type Plan } from '../kind.ts'
import { badField, layerError, notSupported, quote, shapeText } from '../layer-config.ts'
import { anything, integers } from '../options.ts'
import { modulo, mustBeModest, planGather } from './gather.ts'
import { reshaped } from './reshaping.ts'

/* Indices as Python has them, such as `x[:, 1:-1, 0]`. */

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

export const INDEXING: readonly (readonly [string, Kind])[] = [
  ['GetItem', getItem],
  ['Take', take],
]
