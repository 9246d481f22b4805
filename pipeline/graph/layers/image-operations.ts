import { type Call, type Kind, kind, type Option } from '../kind.ts'
import { layerError } from '../layer-config.ts'
import { decimal, flag, only, optional, pair, word } from '../options.ts'
import { planes, planesValue } from '../value.ts'
import { image } from './convolution.ts'
import { planPooling } from './pooling.ts'
import { interpolation, planAspect } from './resizing.ts'

/* Operations on images that are layers too, but know one order of the axes. */

const CALL: Call = { tensors: ['x'] }

const poolOptions = {
  pool_size: pair(1),
  strides: optional(pair(1)),
  padding: word('valid', 'same'),
  data_format: lastOnly(),
}

function lastOnly(): Option<unknown> {
  return (layer, field) =>
    layer.config[field] === 'channels_last'
      ? undefined
      : only(null, 'only channels_last is supported')(layer, field)
}

const averagePool = kind(poolOptions, (o, [x], layer) => planPooling('average', o, x, layer), { call: CALL })

const maxPool = kind(poolOptions, (o, [x], layer) => planPooling('max', o, x, layer), { call: CALL })

const resize = kind(
  {
    size: pair(1),
    interpolation,
    antialias: flag(false),
    crop_to_aspect_ratio: flag(false),
    pad_to_aspect_ratio: flag(false),
    fill_mode: only('constant', 'only a constant can be added'),
    fill_value: decimal(0),
    data_format: lastOnly(),
  },
  (o, [x], layer) =>
    planAspect(
      {
        size: o.size,
        interpolation: o.interpolation,
        antialias: o.antialias,
        crop: o.crop_to_aspect_ratio,
        pad: o.pad_to_aspect_ratio,
        fill: o.fill_value,
      },
      x,
      layer,
    ),
  { call: { tensors: ['images'] } },
)

/** How much of a grey comes from red, green and blue. */
const GREY = [0.2989, 0.587, 0.114]

const grey = kind(
  { data_format: lastOnly() },
  (_, [x], layer) => {
    const [height, width, channels] = image(layer, x)
    if (channels !== 3) throw layerError(layer, `it needs three channels and gets ${channels}`)
    const shape = [height, width, 1]
    return {
      shape,
      emit({ graph, inputs: [value] }) {
        const weighted = graph.node('Mul', [planes(graph, value), graph.floats(GREY, [3, 1, 1])])
        const tensor = graph.node('ReduceSum', [weighted, graph.integers([1])], { keepdims: 1 })
        return planesValue(shape, tensor, value.nonNegative)
      },
    }
  },
  { call: { tensors: ['images'] } },
)

export const IMAGE_OPERATIONS: readonly (readonly [string, Kind])[] = [
  ['AveragePool', averagePool],
  ['MaxPool', maxPool],
  ['RGBToGrayscale', grey],
  ['Resize', resize],
]
