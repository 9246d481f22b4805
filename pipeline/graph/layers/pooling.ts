import type { Layer } from '../../models/networks/layer-list.ts'
import type { Inputs, Kind, Operand, Plan } from '../kind.ts'
import { kind } from '../kind.ts'
import { layerError, shapeText } from '../layer-config.ts'
import type { OnnxGraph } from '../onnx-graph.ts'
import { flag, optional, pair, whole, word } from '../options.ts'
import { plainValue, planes, planesValue, type Value } from '../value.ts'
import { samePadding, slide, type Window } from '../window.ts'
import { image, sequence } from './convolution.ts'
import { asOneRow, dataFormat, inFormat } from './data-format.ts'
import { averagedCells, separable } from './matrices.ts'

type Pool = 'average' | 'max'

interface PoolOptions {
  readonly pool_size: readonly [number, number]
  readonly strides: readonly [number, number] | undefined
  readonly padding: string
}

/** One number, which may be in a list, as a pair for an image of one row. */
function single(layer: Layer, field: string, fallback?: number): [number, number] {
  const value = layer.config[field]
  const one = Array.isArray(value) && value.length === 1 ? (value[0] as unknown) : value
  return [1, whole(1, fallback)({ ...layer, config: { ...layer.config, [field]: one } }, field)]
}

const pooling2d = (pool: Pool) =>
  kind(
    {
      data_format: dataFormat,
      pool_size: pair(1, 2),
      strides: optional(pair(1)),
      padding: word('valid', 'same'),
    },
    (o, [x], layer) => inFormat(o.data_format, x, (input) => planPooling(pool, o, input, layer)),
  )

const pooling1d = (pool: Pool) =>
  kind(
    {
      data_format: dataFormat,
      pool_size: (layer, field) => single(layer, field, 2),
      strides: optional((layer, field) => single(layer, field)),
      padding: word('valid', 'same'),
    },
    (o, [x], layer) =>
      inFormat(o.data_format, x, (input) =>
        asOneRow(sequence(layer, input), (row) => planPooling(pool, o, row, layer)),
      ),
  )

/** Max or average pooling. The average counts only pixels inside the image. */
export function planPooling(pool: Pool, o: PoolOptions, x: Operand, layer: Layer): Plan {
  const [height, width, channels] = image(layer, x)
  const window: Window = {
    size: o.pool_size,
    strides: o.strides ?? o.pool_size,
    dilations: [1, 1],
    same: o.padding === 'same',
  }
  const shape = [...slide(layer, window, x.shape), channels]
  const [top, bottom] = samePadding(window, 0, height)
  const [left, right] = samePadding(window, 1, width)
  const attributes = { kernel_shape: window.size, strides: window.strides }
  const isPlain = [...window.size, ...window.strides].every((size) => size === 2)
  const isWhole = top + bottom + left + right === 0
  return {
    shape,
    ...(pool === 'max' && isPlain && isWhole && { halves: true }),
    emit({ graph, inputs: [input] }) {
      const { nonNegative } = input
      if (pool === 'average') {
        const pads = [top, left, bottom, right]
        const tensor = graph.node('AveragePool', [planes(graph, input)], {
          ...attributes,
          pads,
          count_include_pad: 0,
        })
        return planesValue(shape, tensor, nonNegative)
      }
      const along = zerosThatDoNotMatter(input, window.size)
      const by = along?.by ?? { top: 0, bottom: 0, left: 0, right: 0 }
      const pads = [top + by.top, left + by.left, bottom + by.bottom, right + by.right]
      const source = along ? planes(graph, along.input) : guarded(graph, input)
      return planesValue(shape, graph.node('MaxPool', [source], { ...attributes, pads }), nonNegative)
    },
  }
}

/**
 * ONNX Runtime fuses a zero padding with a MaxPool right after it, although MaxPool pads with minus infinity. A Max node
 * in between changes no number and prevents that.
 */
function guarded(graph: OnnxGraph, input: Value): string {
  const tensor = planes(graph, input)
  return input.padded ? graph.node('Max', [tensor, graph.floats([LOWEST], [])]) : tensor
}

/** The smallest finite float32. */
const LOWEST = -3.4028234663852886e38

/**
 * MaxPool pads with minus infinity, not with zero. Where no value is below zero and every window contains a part of the
 * image, the result is the same, and MaxPool can do a preceding zero padding.
 */
function zerosThatDoNotMatter({ padded, nonNegative }: Value, [height, width]: readonly [number, number]) {
  if (!padded || !nonNegative) return undefined
  const { top, bottom, left, right } = padded.by
  // At most half a window, so that together with the padding of 'same' the padding is still narrower than a window.
  return 2 * Math.max(top, bottom) < height && 2 * Math.max(left, right) < width ? padded : undefined
}

const globalOptions = { data_format: dataFormat, keepdims: flag(false) }

const globalPooling2d = (pool: Pool) =>
  kind(globalOptions, (o, [x], layer) =>
    inFormat(o.data_format, x, (input) => planGlobalPooling(pool, o.keepdims, input, layer)),
  )

const globalPooling1d = (pool: Pool) =>
  kind(globalOptions, (o, [x]: Inputs, layer) =>
    inFormat(o.data_format, x, (input) => {
      const keepdims = o.keepdims
      return asOneRow(sequence(layer, input), (row) => planGlobalPooling(pool, keepdims, row, layer))
    }),
  )

function planGlobalPooling(pool: Pool, keepdims: boolean, x: Operand, layer: Layer): Plan {
  const [, , channels] = image(layer, x)
  const shape = keepdims ? [1, 1, channels] : [channels]
  return {
    shape,
    emit({ graph, inputs: [input] }) {
      const pooled = graph.node(pool === 'max' ? 'GlobalMaxPool' : 'GlobalAveragePool', [
        planes(graph, input),
      ])
      const { nonNegative } = input
      if (keepdims) return planesValue(shape, pooled, nonNegative)
      return plainValue(shape, graph.node('Flatten', [pooled], { axis: 1 }), { nonNegative })
    },
  }
}

const adaptivePooling2d = (pool: Pool) =>
  kind({ data_format: dataFormat, output_size: pair(1) }, (o, [x], layer) =>
    inFormat(o.data_format, x, (input) => planAdaptive(pool, o.output_size, input, layer)),
  )

/** The image is divided into as many cells as the output has pixels; cells may overlap by a pixel. */
function planAdaptive(pool: Pool, size: readonly [number, number], x: Operand, layer: Layer): Plan {
  const [height, width, channels] = image(layer, x)
  if (size[0] > height * MOST_REPEATED || size[1] > width * MOST_REPEATED)
    throw layerError(layer, `output_size ${shapeText(size)} is far above the input's ${shapeText(x.shape)}`)
  const shape = [...size, channels]
  return {
    shape,
    emit({ graph, inputs: [input] }) {
      const { nonNegative } = input
      if (pool === 'average') {
        const tensor = separable(graph, planes(graph, input), {
          vertical: averagedCells(height, size[0]),
          horizontal: averagedCells(width, size[1]),
        })
        return planesValue(shape, tensor, nonNegative)
      }
      const rows = largestInCells(graph, planes(graph, input), 2, height, size[0])
      return planesValue(shape, largestInCells(graph, rows, 3, width, size[1]), nonNegative)
    },
  }
}

const MOST_REPEATED = 16

function largestInCells(
  graph: OnnxGraph,
  tensor: string,
  axis: number,
  length: number,
  cells: number,
): string {
  const parts = Array.from({ length: cells }, (_, i) => {
    const [from, to] = [Math.floor((i * length) / cells), Math.ceil(((i + 1) * length) / cells)]
    const part = graph.node('Slice', [tensor, ...[[from], [to], [axis]].map((list) => graph.integers(list))])
    return graph.node('ReduceMax', [part, graph.integers([axis])], { keepdims: 1 })
  })
  return parts.length === 1 ? (parts[0] ?? '') : graph.node('Concat', parts, { axis })
}

export const POOLINGS: readonly (readonly [string, Kind])[] = [
  ['AdaptiveAveragePooling2D', adaptivePooling2d('average')],
  ['AdaptiveMaxPooling2D', adaptivePooling2d('max')],
  ['AveragePooling1D', pooling1d('average')],
  ['AveragePooling2D', pooling2d('average')],
  ['GlobalAveragePooling1D', globalPooling1d('average')],
  ['GlobalAveragePooling2D', globalPooling2d('average')],
  ['GlobalMaxPooling1D', globalPooling1d('max')],
  ['GlobalMaxPooling2D', globalPooling2d('max')],
  ['MaxPooling1D', pooling1d('max')],
  ['MaxPooling2D', pooling2d('max')],
]
