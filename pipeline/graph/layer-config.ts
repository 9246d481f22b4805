import { PipelineError, type PipelineErrorCode } from '../errors.ts'
import type { Layer } from '../models/networks/layer-list.ts'

/*
 * The fields of a layer come from an untrusted file. The functions here check them and return a number, a boolean, a
 * word, or a list of numbers of known length. An optional field has a default, which null gets as well.
 */

export function layerError(
  layer: Layer,
  what: string,
  code: PipelineErrorCode = 'ERR_MODEL_LOAD',
): PipelineError {
  return new PipelineError(code, `Layer '${layer.name}' (${layer.className}): ${what}.`)
}

export const notSupported = (layer: Layer, what: string): PipelineError =>
  layerError(layer, what, 'ERR_MODEL_UNSUPPORTED')

export const shapeText = (shape: readonly number[]): string => `[${shape.join(', ')}]`

export function wholeNumber(layer: Layer, field: string, least: number, fallback?: number): number {
  const value = layer.config[field] ?? fallback
  if (isWhole(value, least)) return value
  throw badField(layer, field, `a whole number from ${least}`, value)
}

/** A pair [vertical, horizontal]; the file may give one number for both. */
export function pair(layer: Layer, field: string, least: number, fallback?: number): [number, number] {
  const value = layer.config[field] ?? fallback
  if (isWhole(value, least)) return [value, value]
  if (Array.isArray(value) && value.length === 2 && value.every((item) => isWhole(item, least))) {
    const [vertical, horizontal] = value as [number, number]
    return [vertical, horizontal]
  }
  throw badField(layer, field, `one or two whole numbers from ${least}`, value)
}

export interface Borders {
  readonly top: number
  readonly bottom: number
  readonly left: number
  readonly right: number
}

/** Padding or cropping, which Keras writes as n, [vertical, horizontal], or [[top, bottom], [left, right]]. */
export function borders(layer: Layer, field: string): Borders {
  const value = layer.config[field]
  const axes = Array.isArray(value) ? value : [value, value]
  const sides = axes.flatMap((axis: unknown) => (Array.isArray(axis) ? axis : [axis, axis]) as unknown[])
  const [top, bottom, left, right] = sides
  if (sides.length === 4 && isWhole(top) && isWhole(bottom) && isWhole(left) && isWhole(right)) {
    return { top, bottom, left, right }
  }
  throw badField(layer, field, 'a whole number, two of them, or two pairs', value)
}

export function decimal(layer: Layer, field: string, fallback?: number): number {
  const value = layer.config[field] ?? fallback
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw badField(layer, field, 'a number', value)
}

export function flag(layer: Layer, field: string, fallback: boolean): boolean {
  const value = layer.config[field] ?? fallback
  if (typeof value === 'boolean') return value
  throw badField(layer, field, 'true or false', value)
}

export function isSamePadding(layer: Layer): boolean {
  const value = layer.config.padding ?? 'valid'
  if (value === 'same' || value === 'valid') return value === 'same'
  throw badField(layer, 'padding', `'same' or 'valid'`, value)
}

/** A list of whole numbers, at most one for each axis of a tensor. */
export function wholeNumbers(layer: Layer, field: string, least: number): number[] {
  const value = layer.config[field]
  if (Array.isArray(value) && value.length <= MAX_RANK && value.every((item) => isWhole(item, least))) {
    return value as number[]
  }
  throw badField(layer, field, `a list of at most ${MAX_RANK} whole numbers from ${least}`, value)
}

/** An axis as an index into a shape without the batch. Keras counts the batch as axis 0, and −1 as the last axis. */
export function axisOf(layer: Layer, rank: number, fallback = -1): number {
  const value = layer.config.axis ?? fallback
  const axis: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value
  if (typeof axis !== 'number' || !Number.isSafeInteger(axis))
    throw badField(layer, 'axis', 'one axis', value)
  const index = axis < 0 ? axis + rank : axis - 1
  if (index < 0 || index >= rank)
    throw badField(layer, 'axis', `an axis from 1 to ${rank} (0 is the batch) or from ${-rank} to -1`, value)
  return index
}

/** What nearly always helps with a model that Tandem cannot compile. */
export const EXPORT_ONNX = `export the model to ONNX (model.export('model.onnx', format='onnx')) and serve that file`

/** Tensors of image models have four axes including the batch; a few more do no harm. */
const MAX_RANK = 6

/** A message quotes at most this much of a field, because the field may be a megabyte long. */
const QUOTED_CHARACTERS = 60

export function isWhole(value: unknown, least = 0): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least
}

export function badField(layer: Layer, field: string, expected: string, value: unknown): PipelineError {
  return layerError(layer, `${field} must be ${expected}, and is ${quote(value)}`)
}

export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? 'missing'
  return text.length > QUOTED_CHARACTERS ? `${text.slice(0, QUOTED_CHARACTERS)}…` : text
}
