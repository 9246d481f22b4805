import type { Operand, Plan, Shape } from '../kind.ts'
import type { OnnxGraph } from '../onnx-graph.ts'
import { word } from '../options.ts'
import { plain, plainValue, planes, planesValue, reshape, type Value } from '../value.ts'

export const dataFormat = word('channels_last', 'channels_first')

/**
 * Plans a layer whose data_format may be channels_first as if it were channels_last. For images this costs nothing: an
 * image (channels, height, width) in Keras' order is an image (height, width, channels) in the order of planes.
 */
export function inFormat(
  format: 'channels_last' | 'channels_first',
  input: Operand,
  planLast: (input: Operand) => Plan,
): Plan {
  if (format === 'channels_last' || input.shape.length < 2) return planLast(input)
  const plan = planLast({ ...input, shape: channelsLast(input.shape) })
  // Winograd's way takes and gives pixel by pixel, where this format has planes.
  const { foldable: _, winograd: __, halves: ___, ...rest } = plan
  return {
    ...rest,
    shape: channelsFirst(plan.shape),
    ...(plan.foldable !== undefined && { foldable: 0 }),
    async emit(emission) {
      const { graph, inputs } = emission
      const value = await plan.emit({ ...emission, inputs: [asLast(graph, inputs[0])] })
      return asFirst(graph, value)
    },
  }
}

const channelsLast = ([channels = 1, ...rest]: Shape): number[] => [...rest, channels]

export function channelsFirst(shape: Shape): Shape {
  return shape.length < 2 ? shape : [shape.at(-1) ?? 1, ...shape.slice(0, -1)]
}

export function asLast(graph: OnnxGraph, value: Value): Value {
  const shape = channelsLast(value.shape)
  const { nonNegative } = value
  if (shape.length === 3) return planesValue(shape, plain(graph, value), nonNegative)
  return plainValue(shape, moved(graph, plain(graph, value), shape.length, 1, shape.length), { nonNegative })
}

function asFirst(graph: OnnxGraph, value: Value): Value {
  const { nonNegative } = value
  if (value.shape.length < 2) return value
  const shape = channelsFirst(value.shape)
  if (shape.length === 3) return plainValue(shape, planes(graph, value), { nonNegative })
  return plainValue(shape, moved(graph, plain(graph, value), shape.length, shape.length, 1), { nonNegative })
}

/** Moves one axis, counted with the batch, to another place. */
function moved(graph: OnnxGraph, tensor: string, rank: number, from: number, to: number): string {
  const perm = Array.from({ length: rank + 1 }, (_, axis) => axis).filter((axis) => axis !== from)
  perm.splice(to, 0, from)
  return graph.node('Transpose', [tensor], { perm })
}

/** Plans a layer on sequences (length, channels) as a layer on images of one row. */
export function asOneRow(input: Operand, planImage: (input: Operand) => Plan): Plan {
  const plan = planImage({ ...input, shape: [1, ...input.shape] })
  // A global pooling leaves no row.
  const shape = plan.shape.length === 3 ? plan.shape.slice(1) : plan.shape
  return {
    ...plan,
    shape,
    ...(plan.foldable !== undefined && { foldable: 1 }),
    ...(plan.arrays && { arrays: plan.arrays.map(withoutRow) }),
    async emit(emission) {
      const { graph, inputs } = emission
      const value = await plan.emit({
        ...emission,
        inputs: [reshape(graph, inputs[0], [1, ...inputs[0].shape])],
      })
      return value.shape.length === shape.length ? value : reshape(graph, value, shape)
    },
  }
}

function withoutRow(array: { role: string; shape: Shape }) {
  return array.shape.length === 4 ? { ...array, shape: array.shape.slice(1) } : array
}
