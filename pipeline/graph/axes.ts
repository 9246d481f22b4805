import type { Layer } from '../models/networks/layer-list.ts'
import type { Operand, Shape } from './kind.ts'
import { layerError, notSupported, quote, shapeText } from './layer-config.ts'

/*
 * Keras counts the batch as axis 0. Here, an axis is an index into a shape without the batch, or, for a constant, into
 * the whole shape.
 */

/** An axis of a tensor; the batch is refused, because an operation along it would mix images. */
export function axisIn(layer: Layer, { shape, batched }: Operand, axis: number, what = 'axis'): number {
  const first = batched ? 1 : 0
  const rank = shape.length + first
  const index = (axis < 0 ? axis + rank : axis) - first
  if (index >= 0 && index < shape.length) return index
  if (index === -1)
    throw notSupported(
      layer,
      `${what} ${axis} is the batch, and one image's answer must not depend on another image`,
    )
  throw layerError(
    layer,
    `${what} must be an axis of an input of shape ${shapeText(shape)}, and is ${quote(axis)}`,
  )
}

export function axesIn(layer: Layer, operand: Operand, axes: readonly number[], what = 'axis'): number[] {
  return [...new Set(axes.map((axis) => axisIn(layer, operand, axis, what)))].sort((a, b) => a - b)
}

/** The place of an axis in a tensor with batch, in Keras' order. */
export const plainAxis = (axis: number, batched = true): number => axis + (batched ? 1 : 0)

/** The place of an axis of an image in the order of planes: height, width and channels are axes 2, 3 and 1. */
export const planesAxis = (axis: number): number => [2, 3, 1][axis] ?? 0

export const elements = (shape: Shape): number => shape.reduce((product, size) => product * size, 1)

/** Broadcasts like numpy: the shorter shape gets axes of size 1 in front. Undefined if the shapes do not fit. */
export function broadcastShapes(a: Shape, b: Shape): number[] | undefined {
  const rank = Math.max(a.length, b.length)
  const from = (shape: Shape, axis: number) => shape[axis - rank + shape.length] ?? 1
  const result: number[] = []
  for (let axis = 0; axis < rank; axis++) {
    const [one, other] = [from(a, axis), from(b, axis)]
    if (one !== other && one !== 1 && other !== 1) return undefined
    result.push(one === 1 ? other : one)
  }
  return result
}

/** The inputs' common shape in an operation on single numbers, and whether it has a batch. */
export function broadcastOperands(layer: Layer, inputs: readonly Operand[]): Operand {
  const batched = inputs.some((input) => input.batched)
  // The batch stands as 1, which fits everything; a constant must then have 1 there, or no such axis.
  const whole = inputs.map((input) => (input.batched ? [1, ...input.shape] : [...input.shape]))
  const rank = Math.max(...inputs.map((input) => (input.batched ? input.shape.length + 1 : 0)))
  const result = whole.reduce((a, b) => {
    const both = broadcastShapes(a, b)
    if (both) return both
    throw layerError(layer, `inputs of shapes ${shapeText(a)} and ${shapeText(b)} do not fit together`)
  })
  if (!batched) return { shape: result, batched }
  if (result.length !== rank || result[0] !== 1)
    throw notSupported(layer, 'its inputs would be combined along the batch, which would mix images')
  if (inputs.some((input) => input.batched && input.shape.length + 1 !== rank))
    throw notSupported(
      layer,
      `inputs with batch of shapes ${inputs.map(({ shape }) => shapeText(shape)).join(' and ')} would mix images`,
    )
  return { shape: result.slice(1), batched }
}
