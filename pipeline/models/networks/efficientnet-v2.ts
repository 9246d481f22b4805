import {
  activation,
  convolution,
  dense,
  depthwise,
  globalAverage,
  multipleOf8,
  normalization,
} from './blocks.ts'
import { excited, swished } from './efficientnet.ts'
import type { LayerList } from './layer-list.ts'
import { INPUT, type Network, network } from './network.ts'

/** For each stage: number of blocks, channels, expansion, strides. */
type Stage = readonly [repeats: number, filters: number, expansion: number, strides: 1 | 2]

interface Plan {
  /** The channels of the first convolution. */
  readonly first: number
  /** The stages whose blocks have one convolution in place of a narrow and a depthwise one. */
  readonly fused: readonly Stage[]
  /** The stages whose blocks weigh their channels. */
  readonly weighed: readonly Stage[]
  readonly width: number
  readonly depth: number
  readonly side: number
  /** B0 to B3 take pixels less their means, divided by their deviations; the larger networks take -1 to 1. */
  readonly scaling: 'deviations' | 'symmetric'
}

const B = {
  first: 32,
  fused: [
    [1, 16, 1, 1],
    [2, 32, 4, 2],
    [2, 48, 4, 2],
  ],
  weighed: [
    [3, 96, 4, 2],
    [5, 112, 6, 1],
    [8, 192, 6, 2],
  ],
  scaling: 'deviations',
} as const

const LARGER = { width: 1, depth: 1, scaling: 'symmetric' } as const

const PLANS = {
  b0: { ...B, width: 1, depth: 1, side: 224 },
  b1: { ...B, width: 1, depth: 1.1, side: 240 },
  b2: { ...B, width: 1.1, depth: 1.2, side: 260 },
  b3: { ...B, width: 1.2, depth: 1.4, side: 300 },
  s: {
    ...LARGER,
    side: 384,
    first: 24,
    fused: [
      [2, 24, 1, 1],
      [4, 48, 4, 2],
      [4, 64, 4, 2],
    ],
    weighed: [
      [6, 128, 4, 2],
      [9, 160, 6, 1],
      [15, 256, 6, 2],
    ],
  },
  m: {
    ...LARGER,
    side: 480,
    first: 24,
    fused: [
      [3, 24, 1, 1],
      [5, 48, 4, 2],
      [5, 80, 4, 2],
    ],
    weighed: [
      [7, 160, 4, 2],
      [14, 176, 6, 1],
      [18, 304, 6, 2],
      [5, 512, 6, 1],
    ],
  },
  l: {
    ...LARGER,
    side: 480,
    first: 32,
    fused: [
      [4, 32, 1, 1],
      [7, 64, 4, 2],
      [7, 96, 4, 2],
    ],
    weighed: [
      [10, 192, 4, 2],
      [19, 224, 6, 1],
      [25, 384, 6, 2],
      [7, 640, 6, 1],
    ],
  },
} as const satisfies Record<string, Plan>

export type EfficientNetV2 = keyof typeof PLANS

/** EfficientNetV2 B0 to B3, S, M and L. Pixels are scaled within the network. */
export function efficientnetV2(variant: EfficientNetV2): LayerList {
  const plan: Plan = PLANS[variant]
  const net = network([plan.side, plan.side, 3])
  const channelsOf = (channels: number) => multipleOf8(channels * plan.width)
  let channels = channelsOf(plan.first)
  let x = convolution(net, 'stem_conv', scaled(net, plan), channels, 3, {
    strides: 2,
    padding: 'same',
    bias: false,
  })
  x = swished(net, 'stem', x)
  for (const [i, [repeats, filters, expansion, strides]] of [...plan.fused, ...plan.weighed].entries()) {
    const block = i < plan.fused.length ? fused : weighed
    const count = Math.ceil(repeats * plan.depth)
    for (let n = 0; n < count; n++) {
      const name = `block${i + 1}${String.fromCharCode(97 + n)}_`
      const shape = { channels, expansion, filters: channelsOf(filters), strides: n === 0 ? strides : 1 }
      x = summed(net, name, x, block(net, name, x, shape), shape)
      channels = shape.filters
    }
  }
  x = convolution(net, 'top_conv', x, channelsOf(1280), 1, { padding: 'same', bias: false })
  x = globalAverage(net, 'avg_pool', swished(net, 'top', x))
  x = net.layer('Dropout', 'top_dropout', x, { rate: 0.2 })
  return net.finish(dense(net, 'predictions', x, 1000, 'softmax'))
}

function scaled(net: Network, { scaling }: Plan): string {
  if (scaling === 'symmetric')
    return net.layer('Rescaling', 'rescaling', INPUT, { scale: 1 / 128, offset: -1 })
  const x = net.layer('Rescaling', 'rescaling', INPUT, { scale: 1 / 255, offset: 0 })
  return net.layer('Normalization', 'normalization', x, {
    axis: -1,
    mean: [0.485, 0.456, 0.406],
    variance: [0.229 ** 2, 0.224 ** 2, 0.225 ** 2],
  })
}

interface Block {
  /** Of the input. */
  readonly channels: number
  readonly expansion: number
  readonly filters: number
  readonly strides: 1 | 2
}

function fused(net: Network, name: string, input: string, block: Block): string {
  const { channels, expansion, filters, strides } = block
  const fields = { padding: 'same', bias: false } as const
  if (expansion === 1) {
    const x = convolution(net, `${name}project_conv`, input, filters, 3, { ...fields, strides })
    return activation(net, `${name}project_activation`, normalization(net, `${name}project_bn`, x), 'silu')
  }
  const wide = convolution(net, `${name}expand_conv`, input, channels * expansion, 3, { ...fields, strides })
  const x = convolution(net, `${name}project_conv`, swished(net, `${name}expand`, wide), filters, 1, fields)
  return normalization(net, `${name}project_bn`, x)
}

function weighed(net: Network, name: string, input: string, block: Block): string {
  const { channels, expansion, filters, strides } = block
  const inner = channels * expansion
  const fields = { padding: 'same', bias: false } as const
  let x = swished(net, `${name}expand`, convolution(net, `${name}expand_conv`, input, inner, 1, fields))
  x = depthwise(net, `${name}dwconv2`, x, 3, { ...fields, strides })
  x = activation(net, `${name}activation`, normalization(net, `${name}bn`, x), 'silu')
  x = excited(net, name, x, inner, Math.max(1, Math.floor(channels / 4)))
  return normalization(
    net,
    `${name}project_bn`,
    convolution(net, `${name}project_conv`, x, filters, 1, fields),
  )
}

/** Adds the input where a block keeps its shape. The very first block has no dropout, since its rate would be 0. */
function summed(net: Network, name: string, input: string, output: string, block: Block): string {
  if (block.strides !== 1 || block.channels !== block.filters) return output
  const dropped = name === 'block1a_' ? output : net.layer('Dropout', `${name}drop`, output, { rate: 0.2 })
  return net.layer('Add', `${name}add`, [dropped, input])
}
