import { convolution, dense, globalAverage, normalization, relu } from './blocks.ts'
import type { LayerList } from './layer-list.ts'
import { INPUT, type Network, network } from './network.ts'

const EPSILON = 1e-5
/** The channels of the first convolution. */
const FIRST = 32

/** For each network: blocks of each stage, channels of each stage, channels of a group. */
type Plan = readonly [depths: readonly number[], widths: readonly number[], group: number]

const PLANS = {
  x002: [[1, 1, 4, 7], [24, 56, 152, 368], 8],
  x004: [[1, 2, 7, 12], [32, 64, 160, 384], 16],
  x006: [[1, 3, 5, 7], [48, 96, 240, 528], 24],
  x008: [[1, 3, 7, 5], [64, 128, 288, 672], 16],
  x016: [[2, 4, 10, 2], [72, 168, 408, 912], 24],
  x032: [[2, 6, 15, 2], [96, 192, 432, 1008], 48],
  x040: [[2, 5, 14, 2], [80, 240, 560, 1360], 40],
  x064: [[2, 4, 10, 1], [168, 392, 784, 1624], 56],
  x080: [[2, 5, 15, 1], [80, 240, 720, 1920], 120],
  x120: [[2, 5, 11, 1], [224, 448, 896, 2240], 112],
  x160: [[2, 6, 13, 1], [256, 512, 896, 2048], 128],
  x320: [[2, 7, 13, 1], [336, 672, 1344, 2520], 168],
  y002: [[1, 1, 4, 7], [24, 56, 152, 368], 8],
  y004: [[1, 3, 6, 6], [48, 104, 208, 440], 8],
  y006: [[1, 3, 7, 4], [48, 112, 256, 608], 16],
  y008: [[1, 3, 8, 2], [64, 128, 320, 768], 16],
  y016: [[2, 6, 17, 2], [48, 120, 336, 888], 24],
  y032: [[2, 5, 13, 1], [72, 216, 576, 1512], 24],
  y040: [[2, 6, 12, 2], [128, 192, 512, 1088], 64],
  y064: [[2, 7, 14, 2], [144, 288, 576, 1296], 72],
  y080: [[2, 4, 10, 1], [168, 448, 896, 2016], 56],
  y120: [[2, 5, 11, 1], [224, 448, 896, 2240], 112],
  y160: [[2, 4, 11, 1], [224, 448, 1232, 3024], 112],
  y320: [[2, 5, 12, 1], [232, 696, 1392, 3712], 232],
} as const satisfies Record<string, Plan>

export type RegNet = keyof typeof PLANS

/** RegNetX and RegNetY of Keras 2. The blocks of Y weigh their channels. Pixels are scaled within the network. */
export function regnet(variant: RegNet): LayerList {
  const [depths, widths, group]: Plan = PLANS[variant]
  const prefix = `regnet${variant}`
  const net = network([224, 224, 3])
  let x = net.layer('Rescaling', `${prefix}_prestem_rescaling`, INPUT, { scale: 1 / 255, offset: 0 })
  x = convolution(net, `${prefix}_stem_conv`, x, FIRST, 3, { strides: 2, padding: 'same', bias: false })
  x = relu(net, `${prefix}_stem_relu`, normalization(net, `${prefix}_stem_bn`, x, { epsilon: EPSILON }))
  let channels = FIRST
  const kind = variant.startsWith('x') ? 'X' : 'Y'
  for (const [stage, filters] of widths.entries()) {
    const depth = depths[stage] ?? 0
    for (let block = 0; block < depth; block++) {
      const name = `${prefix}_Stage_${stage}_${kind}Block_${block}`
      // The squeezed channels are a quarter of those that come into the block, not of those within.
      const squeezed = kind === 'Y' ? Math.floor(channels / 4) : 0
      x = residual(net, name, x, { filters, group, squeezed, strides: block === 0 ? 2 : 1 })
      channels = filters
    }
  }
  // Keras 2 has no underscore before "head" here.
  return net.finish(
    dense(net, `${prefix}head_dense`, globalAverage(net, `${prefix}_head_gap`, x), 1000, 'softmax'),
  )
}

interface Block {
  readonly filters: number
  readonly group: number
  /** 0 where the block does not weigh its channels. */
  readonly squeezed: number
  readonly strides: 1 | 2
}

function residual(net: Network, name: string, input: string, block: Block): string {
  const { filters, group, squeezed, strides } = block
  const normalized = (conv: string, norm: string, from: string, size: number, fields = {}) => {
    const x = convolution(net, `${name}_${conv}`, from, filters, size, { bias: false, ...fields })
    return normalization(net, `${name}_${norm}`, x, { epsilon: EPSILON })
  }
  const side = strides === 2 ? normalized('skip_1x1', 'skip_bn', input, 1, { strides }) : input
  let x = relu(net, `${name}_conv_1x1_1_relu`, normalized('conv_1x1_1', 'conv_1x1_1_bn', input, 1))
  // The first stage of X080 is narrower than a group.
  const groups = Math.max(1, Math.floor(filters / group))
  x = normalized('conv_3x3', 'conv_3x3_bn', x, 3, { strides, padding: 'same', groups })
  x = relu(net, `${name}_conv_3x3_relu`, x)
  if (squeezed > 0) x = weighed(net, `${name}_squeeze_and_excite`, x, filters, squeezed)
  x = normalized('conv_1x1_2', 'conv_1x1_2_bn', x, 1)
  return relu(net, `${name}_exit_relu`, net.layer('Add', `${name}_sum`, [x, side]))
}

function weighed(net: Network, name: string, input: string, filters: number, squeezed: number): string {
  let x = globalAverage(net, `${name}_gap`, input, true)
  x = convolution(net, `${name}_squeeze`, x, squeezed, 1, { activation: 'relu' })
  x = convolution(net, `${name}_excite`, x, filters, 1, { activation: 'sigmoid' })
  return net.layer('Multiply', `${name}_product`, [x, input])
}
