import {
  activation,
  aroundHalved,
  convolution,
  depthwise,
  globalAverage,
  normalization,
  numberedNames,
  padding,
  relu,
  relu6,
  roundedChannels,
} from './blocks.ts'
import { CONSTANT, type LayerList, operationClass } from './layer-list.ts'
import { INPUT, type Network, network } from './network.ts'

type Word = 'relu' | 'swish'
/** A block: expansion, output channels, size of the window, strides, whether it weighs its channels, activation. */
type Row = readonly [
  expansion: number,
  filters: number,
  window: 3 | 5,
  strides: 1 | 2,
  weighs: boolean,
  word: Word,
]

interface Plan {
  readonly rows: readonly Row[]
  /** The channels before the last convolution. */
  readonly last: number
}

const SMALL: Plan = {
  rows: [
    [1, 16, 3, 2, true, 'relu'],
    [72 / 16, 24, 3, 2, false, 'relu'],
    [88 / 24, 24, 3, 1, false, 'relu'],
    [4, 40, 5, 2, true, 'swish'],
    [6, 40, 5, 1, true, 'swish'],
    [6, 40, 5, 1, true, 'swish'],
    [3, 48, 5, 1, true, 'swish'],
    [3, 48, 5, 1, true, 'swish'],
    [6, 96, 5, 2, true, 'swish'],
    [6, 96, 5, 1, true, 'swish'],
    [6, 96, 5, 1, true, 'swish'],
  ],
  last: 1024,
}

const LARGE: Plan = {
  rows: [
    [1, 16, 3, 1, false, 'relu'],
    [4, 24, 3, 2, false, 'relu'],
    [3, 24, 3, 1, false, 'relu'],
    [3, 40, 5, 2, true, 'relu'],
    [3, 40, 5, 1, true, 'relu'],
    [3, 40, 5, 1, true, 'relu'],
    [6, 80, 3, 2, false, 'swish'],
    [2.5, 80, 3, 1, false, 'swish'],
    [2.3, 80, 3, 1, false, 'swish'],
    [2.3, 80, 3, 1, false, 'swish'],
    [6, 112, 3, 1, true, 'swish'],
    [6, 112, 3, 1, true, 'swish'],
    [6, 160, 5, 2, true, 'swish'],
    [6, 160, 5, 1, true, 'swish'],
    [6, 160, 5, 1, true, 'swish'],
  ],
  last: 1280,
}

/** Keras' minimalistic networks have neither windows of 5, nor hard_swish, nor weighed channels. */
const minimalistic = ({ rows, last }: Plan): Plan => ({
  rows: rows.map(([expansion, filters, , strides]) => [expansion, filters, 3, strides, false, 'relu']),
  last,
})

export const mobilenetV3Small = (): LayerList => mobilenetV3(SMALL, 'swish')

export const mobilenetV3Large = (): LayerList => mobilenetV3(LARGE, 'swish')

export const mobilenetV3SmallMinimalistic = (): LayerList => mobilenetV3(minimalistic(SMALL), 'relu')

export const mobilenetV3LargeMinimalistic = (): LayerList => mobilenetV3(minimalistic(LARGE), 'relu')

/** `word` is the activation at both ends. Pixels are scaled within the network. */
function mobilenetV3({ rows, last }: Plan, word: Word): LayerList {
  const side = 224
  const net = network([side, side, 3])
  const next = numberedNames()
  let x = net.layer('Rescaling', 'rescaling', INPUT, { scale: 1 / 127.5, offset: -1 })
  x = convolution(net, 'conv', x, 16, 3, { strides: 2, padding: 'same', bias: false })
  x = activated(net, next, normalization(net, 'conv_bn', x), word)
  let shape: Shape = { side: side / 2, channels: 16 }
  for (const [i, row] of rows.entries()) {
    x = inverted(net, next, i, x, shape, row)
    shape = { side: Math.ceil(shape.side / row[3]), channels: row[1] }
  }
  x = convolution(net, 'conv_1', x, shape.channels * 6, 1, { padding: 'same', bias: false })
  x = activated(net, next, normalization(net, 'conv_1_bn', x), word)
  x = globalAverage(net, next('global_average_pooling2d'), x, true)
  x = activated(net, next, convolution(net, 'conv_2', x, last, 1, { padding: 'same' }), word)
  x = net.layer('Dropout', 'dropout', x, { rate: 0.2 })
  x = convolution(net, 'logits', x, 1000, 1, { padding: 'same' })
  x = net.layer('Flatten', 'flatten', x, { data_format: 'channels_last' })
  return net.finish(activation(net, 'predictions', x, 'softmax'))
}

interface Shape {
  readonly side: number
  readonly channels: number
}

type Next = ReturnType<typeof numberedNames>

function activated(net: Network, next: Next, input: string, word: Word): string {
  return word === 'relu'
    ? relu(net, next('re_lu'), input)
    : activation(net, next('activation'), input, 'hard_silu')
}

function inverted(
  net: Network,
  next: Next,
  n: number,
  input: string,
  { side, channels }: Shape,
  row: Row,
): string {
  const [expansion, filters, window, strides, weighs, word] = row
  const name = n === 0 ? 'expanded_conv' : `expanded_conv_${n}`
  const inner = roundedChannels(channels * expansion)
  const narrow = { padding: 'same', bias: false } as const
  let x = input
  if (n > 0) {
    const wide = convolution(net, `${name}_expand`, x, inner, 1, narrow)
    x = activated(net, next, normalization(net, `${name}_expand_bn`, wide), word)
  }
  if (strides === 2) x = padding(net, `${name}_depthwise_pad`, x, aroundHalved(window, side))
  const fields = { strides, padding: strides === 2 ? 'valid' : 'same', bias: false } as const
  x = normalization(net, `${name}_depthwise_bn`, depthwise(net, `${name}_depthwise`, x, window, fields))
  x = activated(net, next, x, word)
  if (weighs) x = weighed(net, next, `${name}_squeeze_excite`, x, inner)
  x = normalization(net, `${name}_project_bn`, convolution(net, `${name}_project`, x, filters, 1, narrow))
  return strides === 1 && channels === filters ? net.layer('Add', `${name}_add`, [input, x]) : x
}

/** Weighs the channels by what all pixels together show. Keras computes hard_sigmoid with operations: relu6(x + 3) / 6. */
function weighed(net: Network, next: Next, name: string, input: string, channels: number): string {
  let x = globalAverage(net, `${name}_avg_pool`, input, true)
  x = convolution(net, `${name}_conv`, x, roundedChannels(channels / 4), 1, { padding: 'same' })
  x = relu(net, `${name}_relu`, x)
  x = convolution(net, `${name}_conv_1`, x, channels, 1, { padding: 'same' })
  x = relu6(net, next('re_lu'), withNumber(net, 'Add', next('add'), x, 3))
  return net.layer('Multiply', `${name}_mul`, [
    input,
    withNumber(net, 'Multiply', next('multiply'), x, 1 / 6),
  ])
}

function withNumber(
  net: Network,
  operation: 'Add' | 'Multiply',
  name: string,
  input: string,
  value: number,
): string {
  const number = net.layer(CONSTANT, `${name}:x20`, [], { value: [value], shape: [] })
  return net.layer(operationClass(operation), name, [input, number])
}
