import { type Emission, inputOf } from './emission.ts'
import { borders, decimal, layerError, notSupported, wholeNumbers } from './layer-config.ts'
import { anyOrder, flatten, plain, planes, reshape, type Value } from './value.ts'

/** Adds no node yet: a following convolution can pad by itself, and only other layers need the padded image. */
export function emitPadding(emission: Emission): Value {
  const input = inputOf(emission)
  const { layer, shape } = emission
  return {
    shape,
    nonNegative: input.nonNegative,
    tensors: {},
    padded: { input, by: borders(layer, 'padding') },
  }
}

export function emitCropping(emission: Emission): Value {
  const { graph, layer, shape } = emission
  const input = inputOf(emission)
  const { top, left } = borders(layer, 'cropping')
  const [height = 1, width = 1] = shape
  const ends = [top + height, left + width]
  const numbers = [[top, left], ends, [2, 3]].map((values) => graph.integers(values))
  return {
    shape,
    nonNegative: input.nonNegative,
    tensors: { planes: graph.node('Slice', [planes(graph, input), ...numbers]) },
  }
}

export function emitFlatten(emission: Emission): Value {
  return flatten(emission.graph, inputOf(emission), emission.shape)
}

export function emitReshape(emission: Emission): Value {
  return reshape(emission.graph, inputOf(emission), emission.shape)
}

export function emitPermutation(emission: Emission): Value {
  const { graph, layer, shape } = emission
  const input = inputOf(emission)
  const perm = [0, ...wholeNumbers(layer, 'dims', 1)]
  const tensor = graph.node('Transpose', [plain(graph, input)], { perm })
  return { shape, nonNegative: input.nonNegative, tensors: { plain: tensor } }
}

/** x · scale + offset. Scale and offset are one number, or one number for each channel. */
export function emitRescaling(emission: Emission): Value {
  const { graph, shape } = emission
  const value = inputOf(emission)
  const input = value.flattened ? { ...value, tensors: { plain: plain(graph, value) } } : value
  const { order, tensor } = anyOrder(graph, input)
  const scaled = graph.node('Mul', [tensor, perChannel(emission, 'scale', order)])
  return {
    shape,
    nonNegative: false,
    tensors: { [order]: graph.node('Add', [scaled, perChannel(emission, 'offset', order)]) },
  }
}

function perChannel({ graph, layer, shape }: Emission, field: string, order: 'plain' | 'planes'): string {
  const value = layer.config[field] ?? (field === 'scale' ? 1 : 0)
  if (!Array.isArray(value)) return graph.floats([decimal(layer, field, field === 'scale' ? 1 : 0)], [])
  const channels = shape.at(-1) ?? 1
  if (value.length !== channels)
    throw notSupported(layer, `${field} has ${value.length} numbers for ${channels} channels`)
  const numbers = value.map((item: unknown) => {
    if (typeof item === 'number' && Number.isFinite(item)) return item
    throw layerError(layer, `${field} must be a number or a list of numbers`)
  })
  return graph.floats(numbers, order === 'planes' ? [channels, 1, 1] : [channels])
}
