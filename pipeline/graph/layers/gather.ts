import type { Layer } from '../../models/networks/layer-list.ts'
import { plainAxis, planesAxis } from '../axes.ts'
import { batchless, type Operand, type Plan } from '../kind.ts'
import { layerError } from '../layer-config.ts'
import type { OnnxGraph } from '../onnx-graph.ts'
import { plain, plainValue, planes, planesValue, type Value } from '../value.ts'

/* Many operations take numbers of an axis at places that are known when the model is compiled. */

/** Some places of some axes. */
export function planGather(x: Operand, picks: readonly { axis: number; indices: readonly number[] }[]): Plan {
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

/** A list of places is part of the model: 8 MB. */
const MAX_LENGTH = 2 ** 20

export function mustBeModest(layer: Layer, length: number): void {
  if (length > MAX_LENGTH)
    throw layerError(layer, `an axis would have ${length} places, the limit is ${MAX_LENGTH}`)
}

export function allPlaces(layer: Layer, x: Operand, axis: number): number[] {
  const length = x.shape[axis] ?? 0
  mustBeModest(layer, length)
  return range(length)
}

export const range = (length: number): number[] => Array.from({ length }, (_, i) => i)

export const modulo = (index: number, length: number): number => ((index % length) + length) % length
