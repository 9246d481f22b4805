import type { Layer } from '../../models/networks/layer-list.ts'
import type { Kind, Operand, Plan } from '../kind.ts'
import { kind } from '../kind.ts'
import { type Borders, layerError, shapeText } from '../layer-config.ts'
import type { OnnxGraph } from '../onnx-graph.ts'
import { decimal, flag, only, pair, unused, whole, word } from '../options.ts'
import { plain, planes, planesValue } from '../value.ts'
import { image } from './convolution.ts'
import { dataFormat, inFormat } from './data-format.ts'
import { type Interpolation, nearestPixels, resizing, separable } from './matrices.ts'
import { planCropping } from './shape.ts'

type Size = readonly [number, number]

export const interpolation = word('bilinear', 'nearest', 'bicubic', 'lanczos3', 'lanczos5')

/** The most weights of one axis: 16 MB. An axis of 2,048 pixels may become one of as many. */
const MAX_WEIGHTS = 2 ** 22

export interface Resize {
  readonly size: Size
  readonly interpolation: Interpolation
  readonly antialias: boolean
}

export function planResize({ size, interpolation, antialias }: Resize, x: Operand, layer: Layer): Plan {
  const [height, width, channels] = image(layer, x)
  if (height * size[0] > MAX_WEIGHTS || width * size[1] > MAX_WEIGHTS)
    throw layerError(layer, `an image of shape ${shapeText(x.shape)} cannot become one of ${shapeText(size)}`)
  const shape = [...size, channels]
  return {
    shape,
    emit({ graph, inputs: [input] }) {
      const { nonNegative } = input
      const tensor = planes(graph, input)
      if (interpolation === 'nearest') {
        const rows = picked(graph, tensor, 2, nearestPixels(height, size[0]))
        return planesValue(shape, picked(graph, rows, 3, nearestPixels(width, size[1])), nonNegative)
      }
      const vertical = resizing(height, size[0], interpolation, antialias)
      const horizontal = resizing(width, size[1], interpolation, antialias)
      return planesValue(
        shape,
        separable(graph, tensor, { vertical, horizontal }),
        nonNegative && interpolation === 'bilinear',
      )
    },
  }
}

function picked(graph: OnnxGraph, tensor: string, axis: number, indices: readonly number[]): string {
  return graph.node('Gather', [tensor, graph.integers(indices)], { axis })
}

const upSampling2d = kind(
  {
    data_format: dataFormat,
    size: pair(1, 2),
    interpolation: word('nearest', 'bilinear', 'bicubic', 'lanczos3', 'lanczos5'),
  },
  (o, [x], layer) =>
    inFormat(o.data_format, x, (input) => {
      const [height, width] = image(layer, input)
      const size: Size = [height * o.size[0], width * o.size[1]]
      return planResize({ size, interpolation: o.interpolation, antialias: false }, input, layer)
    }),
)

/** A list of places is part of the model: 8 MB. */
const MAX_LENGTH = 2 ** 20

const upSampling1d = kind({ size: whole(1, 2) }, ({ size }, [x], layer) => {
  const [length = 1, channels = 1, ...more] = x.shape
  if (x.shape.length < 2 || more.length > 0)
    throw layerError(layer, 'it needs an input of shape [length, channels]')
  const shape = [length * size, channels]
  if (length * size > MAX_LENGTH)
    throw layerError(layer, `a sequence would have ${length * size} places, the limit is ${MAX_LENGTH}`)
  return {
    shape,
    emit({ graph, inputs: [input] }) {
      const indices = Array.from({ length: length * size }, (_, i) => Math.floor(i / size))
      const source = plain(graph, input)
      return { shape, nonNegative: input.nonNegative, tensors: { plain: picked(graph, source, 1, indices) } }
    },
  }
})

const sizeOptions = { data_format: dataFormat, height: whole(1), width: whole(1) }

/** Resizes, where wanted after cutting out, or adding borders, so that the picture keeps its proportions. */
const resizingLayer = kind(
  {
    ...sizeOptions,
    interpolation,
    antialias: flag(false),
    crop_to_aspect_ratio: flag(false),
    pad_to_aspect_ratio: flag(false),
    fill_mode: only('constant', 'only a constant can be added'),
    fill_value: decimal(0),
  },
  (o, [x], layer) =>
    inFormat(o.data_format, x, (input) =>
      planAspect(
        {
          size: [o.height, o.width],
          interpolation: o.interpolation,
          antialias: o.antialias,
          crop: o.crop_to_aspect_ratio,
          pad: o.pad_to_aspect_ratio,
          fill: o.fill_value,
        },
        input,
        layer,
      ),
    ),
)

export interface AspectResize extends Resize {
  readonly crop: boolean
  readonly pad: boolean
  readonly fill: number
}

export function planAspect(o: AspectResize, x: Operand, layer: Layer): Plan {
  if (o.crop && o.pad) throw layerError(layer, 'it both crops and pads to the aspect ratio')
  if (o.crop)
    return chained(planCropping(middle(o.size, image(layer, x)), x, layer), (y) => planResize(o, y, layer))
  if (o.pad) return chained(planFrame(o, x, layer), (y) => planResize(o, y, layer))
  return planResize(o, x, layer)
}

/** What is cut off so that the largest part from the middle remains that has the proportions of a size. */
function middle([toHeight, toWidth]: Size, [height, width]: readonly [number, number, number]): Borders {
  const cropHeight = Math.max(Math.min(height, Math.trunc((width * toHeight) / toWidth)), 1)
  const cropWidth = Math.max(Math.min(width, Math.trunc((height * toWidth) / toHeight)), 1)
  const top = Math.trunc((height - cropHeight) / 2)
  const left = Math.trunc((width - cropWidth) / 2)
  return { top, left, bottom: height - cropHeight - top, right: width - cropWidth - left }
}

/** Adds equal borders, so that the image has the proportions of a size. */
function planFrame({ size: [toHeight, toWidth], fill }: AspectResize, x: Operand, layer: Layer): Plan {
  const [height, width, channels] = image(layer, x)
  const top = Math.trunc((Math.max(height, Math.trunc((width * toHeight) / toWidth)) - height) / 2)
  const left = Math.trunc((Math.max(width, Math.trunc((height * toWidth) / toHeight)) - width) / 2)
  const shape = [height + 2 * top, width + 2 * left, channels]
  return {
    shape,
    emit({ graph, inputs: [input] }) {
      const tensor = graph.node('Pad', [
        planes(graph, input),
        graph.integers([0, 0, top, left, 0, 0, top, left]),
        graph.floats([fill], []),
      ])
      return planesValue(shape, tensor, input.nonNegative && fill >= 0)
    },
  }
}

function chained(first: Plan, next: (x: Operand) => Plan): Plan {
  const second = next({ shape: first.shape, batched: true })
  return {
    shape: second.shape,
    async emit(emission) {
      const between = await first.emit(emission)
      return second.emit({ ...emission, inputs: [between] })
    },
  }
}

/** Cuts out the middle. An image that is too small is resized instead. */
const centerCrop = kind(sizeOptions, (o, [x], layer) =>
  inFormat(o.data_format, x, (input) => {
    const [height, width] = image(layer, input)
    if (height < o.height || width < o.width) return smartResize(o, input, layer)
    const top = Math.trunc((height - o.height) / 2)
    const left = Math.trunc((width - o.width) / 2)
    const by = { top, left, bottom: height - o.height - top, right: width - o.width - left }
    return planCropping(by, input, layer)
  }),
)

/** Random in training only: otherwise the largest part of the right proportions, resized. */
const randomCrop = kind({ ...sizeOptions, factor: unused }, (o, [x], layer) =>
  inFormat(o.data_format, x, (input) => {
    const [height, width] = image(layer, input)
    if (height === o.height && width === o.width)
      return { shape: input.shape, emit: ({ inputs }) => inputs[0] }
    return smartResize(o, input, layer)
  }),
)

function smartResize({ height, width }: { height: number; width: number }, x: Operand, layer: Layer): Plan {
  const size: Size = [height, width]
  return planAspect(
    { size, interpolation: 'bilinear', antialias: false, crop: true, pad: false, fill: 0 },
    x,
    layer,
  )
}

export const RESIZING_LAYERS: readonly (readonly [string, Kind])[] = [
  ['CenterCrop', centerCrop],
  ['RandomCrop', randomCrop],
  ['Resizing', resizingLayer],
  ['UpSampling1D', upSampling1d],
  ['UpSampling2D', upSampling2d],
]
