import { convolution, dense, depthwise, globalAverage, normalization, padding, relu6 } from './blocks.ts'
import type { LayerList } from './layer-list.ts'
import { INPUT, type Network, network } from './network.ts'

/** For each group of blocks: output channels, strides of the first block, number of blocks. */
const GROUPS = [
  [16, 1, 1],
  [24, 2, 2],
  [32, 2, 3],
  [64, 2, 4],
  [96, 1, 3],
  [160, 2, 3],
  [320, 1, 1],
] as const
/** The factor by which a block is wider inside than outside, except the first block. */
const EXPANSION = 6

/** MobileNetV2 1.0 for 224 × 224. */
export function mobilenetV2(): LayerList {
  const net = network([224, 224, 3])
  let x = convolution(net, 'Conv1', INPUT, 32, 3, { strides: 2, padding: 'same', bias: false })
  x = relu6(net, 'Conv1_relu', normalization(net, 'bn_Conv1', x))
  let channels = 32
  let block = 0
  for (const [filters, strides, count] of GROUPS) {
    for (let i = 0; i < count; i++) {
      x = inverted(net, block++, x, { channels, filters, strides: i === 0 ? strides : 1 })
      channels = filters
    }
  }
  x = convolution(net, 'Conv_1', x, 1280, 1, { bias: false })
  x = relu6(net, 'out_relu', normalization(net, 'Conv_1_bn', x))
  x = globalAverage(net, 'global_average_pooling2d', x)
  return net.finish(dense(net, 'predictions', x, 1000, 'softmax'))
}

interface Block {
  readonly channels: number
  readonly filters: number
  readonly strides: 1 | 2
}

function inverted(net: Network, n: number, input: string, { channels, filters, strides }: Block): string {
  const name = n === 0 ? 'expanded_conv' : `block_${n}`
  const narrow = { padding: 'same', bias: false } as const
  let x = input
  if (n > 0) {
    const wide = convolution(net, `${name}_expand`, x, channels * EXPANSION, 1, narrow)
    x = relu6(net, `${name}_expand_relu`, normalization(net, `${name}_expand_BN`, wide))
  }
  const corner = [
    [0, 1],
    [0, 1],
  ] as const
  if (strides === 2) x = padding(net, `${name}_pad`, x, corner)
  const fields = { strides, padding: strides === 2 ? 'valid' : 'same', bias: false } as const
  x = normalization(net, `${name}_depthwise_BN`, depthwise(net, `${name}_depthwise`, x, 3, fields))
  x = convolution(net, `${name}_project`, relu6(net, `${name}_depthwise_relu`, x), filters, 1, narrow)
  x = normalization(net, `${name}_project_BN`, x)
  return strides === 1 && channels === filters ? net.layer('Add', `${name}_add`, [input, x]) : x
}
