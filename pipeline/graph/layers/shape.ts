import type { Layer } from '../../models/networks/layer-list.ts'
import { elements } from '../axes.ts'
import type { Kind, Operand, Option, Plan } from '../kind.ts'
import { batchless, kind } from '../kind.ts'
import { type Borders, badField, isWhole, layerError, notSupported, shapeText } from '../layer-config.ts'
import { borders, unused, whole, wholes } from '../options.ts'
import { flatten, plain, plainValue, planes, planesValue, reshape } from '../value.ts'
import { image, sequence } from './convolution.ts'
import { asLast, asOneRow, dataFormat, inFormat } from './data-format.ts'

const zeroPadding2d = kind({ data_format: dataFormat, padding: borders }, (o, [x], layer) =>
  inFormat(o.data_format, x, (input) => planPadding(o.padding, input, layer)),
)

/** Two numbers, or one for both sides, of a sequence. */
const ends: Option<Borders> = (layer, field) => {
  const value: unknown = layer.config[field] ?? 1
  const [left, right] = Array.isArray(value) ? (value as unknown[]) : [value, value]
  if (isWhole(left) && isWhole(right)) return { top: 0, bottom: 0, left, right }
  throw badField(layer, field, 'a whole number or two', value)
}

const zeroPadding1d = kind({ data_format: dataFormat, padding: ends }, (o, [x], layer) =>
  inFormat(o.data_format, x, (input) =>
    asOneRow(sequence(layer, input), (row) => planPadding(o.padding, row, layer)),
  ),
)

/** Adds no node yet: a following convolution can pad by itself, and only other layers need the padded image. */
function planPadding(by: Borders, x: Operand, layer: Layer): Plan {
  const [height, width, channels] = image(layer, x)
  const shape = [height + by.top + by.bottom, width + by.left + by.right, channels]
  return {
    shape,
    emit: ({ inputs: [input] }) => ({
      shape,
      nonNegative: input.nonNegative,
      tensors: {},
      padded: { input, by },
    }),
  }
}

const cropping2d = kind({ data_format: dataFormat, cropping: borders }, (o, [x], layer) =>
  inFormat(o.data_format, x, (input) => planCropping(o.cropping, input, layer)),
)

const cropping1d = kind({ data_format: dataFormat, cropping: ends }, (o, [x], layer) =>
  inFormat(o.data_format, x, (input) =>
    asOneRow(sequence(layer, input), (row) => planCropping(o.cropping, row, layer)),
  ),
)

export function planCropping({ top, bottom, left, right }: Borders, x: Operand, layer: Layer): Plan {
  const [fullHeight, fullWidth, channels] = image(layer, x)
  const [height, width] = [fullHeight - top - bottom, fullWidth - left - right]
  if (height < 1 || width < 1)
    throw layerError(layer, `it would leave no pixel of an input of shape ${shapeText(x.shape)}`)
  const shape = [height, width, channels]
  return {
    shape,
    emit({ graph, inputs: [input] }) {
      const numbers = [
        [top, left],
        [top + height, left + width],
        [2, 3],
      ].map((values) => graph.integers(values))
      const tensor = graph.node('Slice', [planes(graph, input), ...numbers])
      return planesValue(shape, tensor, input.nonNegative)
    },
  }
}

/** With channels first, Keras moves the channels to the end before it flattens. */
const flattening = kind({ data_format: dataFormat }, ({ data_format }, [x]) => ({
  shape: [elements(x.shape)],
  emit({ graph, inputs: [input] }) {
    const first = data_format === 'channels_first' && x.shape.length > 1
    return flatten(graph, first ? asLast(graph, input) : input, [elements(x.shape)])
  },
}))

const reshaping = kind({ target_shape: wholes(-1), input_shape: unused }, ({ target_shape }, [x], layer) =>
  planReshape(target_shape, x, layer),
)

export function planReshape(target: readonly number[], x: Operand, layer: Layer): Plan {
  const total = elements(x.shape)
  const known = elements(target.filter((size) => size !== -1))
  const shape = target.map((size) => (size === -1 ? total / known : size))
  const open = target.filter((size) => size === -1).length
  if (open > 1 || elements(shape) !== total || !shape.every((size) => Number.isSafeInteger(size) && size > 0))
    throw layerError(
      layer,
      `an input of shape ${shapeText(x.shape)} cannot be reshaped to ${shapeText(target)}`,
    )
  return { shape, emit: ({ graph, inputs: [input] }) => reshape(graph, input, shape) }
}

const permutation = kind({ dims: wholes(1) }, ({ dims }, [x], layer) => {
  if ([...dims].sort((a, b) => a - b).join() !== x.shape.map((_, axis) => axis + 1).join())
    throw layerError(layer, `dims ${shapeText(dims)} do not permute an input of shape ${shapeText(x.shape)}`)
  return planPermutation(
    dims.map((axis) => axis - 1),
    x,
  )
})

/** `order` has an axis of the input, counted without the batch, for each axis of the output. */
export function planPermutation(order: readonly number[], x: Operand): Plan {
  const shape = order.map((axis) => x.shape[axis] ?? 0)
  return {
    shape,
    ...batchless(x),
    emit({ graph, inputs: [input] }) {
      // Channels first: the order of planes is that already.
      if (x.batched && order.join() === '2,0,1')
        return plainValue(shape, planes(graph, input), { nonNegative: input.nonNegative })
      const perm = x.batched ? [0, ...order.map((axis) => axis + 1)] : order
      const tensor = graph.node('Transpose', [plain(graph, input)], { perm })
      return plainValue(shape, tensor, {
        nonNegative: input.nonNegative,
        ...batchless(x),
      })
    },
  }
}

const repeatVector = kind({ n: whole(1) }, ({ n }, [x], layer) => {
  const [size, another] = x.shape
  if (size === undefined || another !== undefined)
    throw notSupported(layer, `it needs a vector and gets an input of shape ${shapeText(x.shape)}`)
  return {
    shape: [n, size],
    emit({ graph, inputs: [input] }) {
      const row = graph.node('Reshape', [plain(graph, input), graph.integers([0, 1, size])])
      const tensor = graph.node('Expand', [row, graph.integers([1, n, size])])
      return plainValue([n, size], tensor, { nonNegative: input.nonNegative })
    },
  }
})

export const SHAPE_LAYERS: readonly (readonly [string, Kind])[] = [
  ['Cropping1D', cropping1d],
  ['Cropping2D', cropping2d],
  ['Flatten', flattening],
  ['Permute', permutation],
  ['RepeatVector', repeatVector],
  ['Reshape', reshaping],
  ['ZeroPadding1D', zeroPadding1d],
  ['ZeroPadding2D', zeroPadding2d],
]
