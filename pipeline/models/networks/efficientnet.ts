import {
  activation,
  aroundHalved,
  convolution,
  dense,
  depthwise,
  globalAverage,
  normalization,
  padding,
  roundedChannels,
} from './blocks.ts'
import type { LayerList } from './layer-list.ts'
import { INPUT, type Network, network } from './network.ts'

/** For each stage: size of the window, number of blocks, channels, expansion, strides. */
const STAGES = [
  [3, 1, 16, 1, 1],
  [3, 2, 24, 6, 2],
  [5, 2, 40, 6, 2],
  [3, 3, 80, 6, 2],
  [5, 3, 112, 6, 1],
  [5, 4, 192, 6, 2],
  [3, 1, 320, 6, 1],
] as const

/** For each network: factor of the width, factor of the depth, size of the images, dropout. */
const SCALES = [
  [1, 1, 224, 0.2],
  [1, 1.1, 240, 0.2],
  [1.1, 1.2, 260, 0.3],
  [1.2, 1.4, 300, 0.3],
  [1.4, 1.8, 380, 0.4],
  [1.6, 2.2, 456, 0.4],
  [1.8, 2.6, 528, 0.5],
  [2, 3.1, 600, 0.5],
] as const

/** The deviations of ImageNet's channels. The published weights expect a division by their roots as well. */
const DEVIATIONS = [0.229, 0.224, 0.225]

/** EfficientNetB0 to B7, with the published weights. Pixels are scaled within the network. */
export function efficientnet(scale: number): LayerList {
  const [width, depth, size, dropout] = SCALES[scale] ?? SCALES[0]
  const net = network([size, size, 3])
  const channelsOf = (channels: number) => roundedChannels(channels * width)
  let x = net.layer('Rescaling', 'rescaling', INPUT, { scale: 1 / 255, offset: 0 })
  x = net.layer('Normalization', 'normalization', x, { axis: -1 })
  x = net.layer('Rescaling', 'rescaling_1', x, {
    scale: DEVIATIONS.map((one) => 1 / Math.sqrt(one)),
    offset: 0,
  })
  x = padding(net, 'stem_conv_pad', x, aroundHalved(3, size))
  x = convolution(net, 'stem_conv', x, channelsOf(32), 3, { strides: 2, bias: false })
  x = swished(net, 'stem', x)
  let shape: Shape = { side: Math.ceil(size / 2), channels: channelsOf(32) }
  for (const [i, [window, repeats, filters, expansion, strides]] of STAGES.entries()) {
    const count = Math.ceil(repeats * depth)
    for (let block = 0; block < count; block++) {
      const name = `block${i + 1}${String.fromCharCode(97 + block)}_`
      const to = { window, expansion, filters: channelsOf(filters), strides: block === 0 ? strides : 1 }
      x = inverted(net, name, x, shape, to)
      shape = { side: Math.ceil(shape.side / to.strides), channels: to.filters }
    }
  }
  x = convolution(net, 'top_conv', x, channelsOf(1280), 1, { padding: 'same', bias: false })
  x = globalAverage(net, 'avg_pool', swished(net, 'top', x))
  x = net.layer('Dropout', 'top_dropout', x, { rate: dropout })
  return net.finish(dense(net, 'predictions', x, 1000, 'softmax'))
}

interface Shape {
  readonly side: number
  readonly channels: number
}

interface Block {
  readonly window: number
  readonly expansion: number
  readonly filters: number
  readonly strides: number
}

function inverted(net: Network, name: string, input: string, { side, channels }: Shape, to: Block): string {
  const { window, expansion, filters, strides } = to
  const inner = channels * expansion
  let x = input
  if (expansion !== 1) {
    x = convolution(net, `${name}expand_conv`, x, inner, 1, { padding: 'same', bias: false })
    x = swished(net, `${name}expand`, x)
  }
  if (strides === 2) x = padding(net, `${name}dwconv_pad`, x, aroundHalved(window, side))
  x = depthwise(net, `${name}dwconv`, x, window, {
    strides,
    padding: strides === 2 ? 'valid' : 'same',
    bias: false,
  })
  x = activation(net, `${name}activation`, normalization(net, `${name}bn`, x), 'silu')
  x = excited(net, name, x, inner, Math.max(1, Math.floor(channels / 4)))
  x = convolution(net, `${name}project_conv`, x, filters, 1, { padding: 'same', bias: false })
  x = normalization(net, `${name}project_bn`, x)
  if (strides !== 1 || channels !== filters) return x
  x = net.layer('Dropout', `${name}drop`, x, { rate: 0.2 })
  return net.layer('Add', `${name}add`, [x, input])
}

/** Weighs the channels by what all pixels together show. */
export function excited(
  net: Network,
  name: string,
  input: string,
  channels: number,
  squeezed: number,
): string {
  let x = globalAverage(net, `${name}se_squeeze`, input)
  x = net.layer('Reshape', `${name}se_reshape`, x, { target_shape: [1, 1, channels] })
  x = convolution(net, `${name}se_reduce`, x, squeezed, 1, { padding: 'same', activation: 'silu' })
  x = convolution(net, `${name}se_expand`, x, channels, 1, { padding: 'same', activation: 'sigmoid' })
  return net.layer('Multiply', `${name}se_excite`, [input, x])
}

export function swished(net: Network, name: string, input: string): string {
  return activation(net, `${name}_activation`, normalization(net, `${name}_bn`, input), 'silu')
}
