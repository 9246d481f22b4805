import {
  activation,
  aroundHalved,
  convolution,
  dense,
  globalAverage,
  normalization,
  numberedNames,
  padding,
  pooling,
  separable,
} from './blocks.ts'
import type { LayerList } from './layer-list.ts'
import { INPUT, type Network, network } from './network.ts'

interface Plan {
  readonly side: number
  /** The channels of the first convolution. */
  readonly stem: number
  /** The channels within the cells before the first reduction. */
  readonly filters: number
  /** The number of normal cells between two reductions. */
  readonly cells: number
  /** The cell after a reduction takes, as its older input, that of the reduction, and not the reduction's own. */
  readonly skips: boolean
}

export const nasnetMobile = (): LayerList =>
  nasnet({ side: 224, stem: 32, filters: 44, cells: 4, skips: false })

export const nasnetLarge = (): LayerList =>
  nasnet({ side: 331, stem: 96, filters: 168, cells: 6, skips: true })

/** The output of a layer. */
interface Image {
  readonly name: string
  readonly side: number
  readonly channels: number
}

/** NASNet-A: each cell takes the outputs of the two cells before it. */
function nasnet({ side, stem, filters, cells, skips }: Plan): LayerList {
  const net = network([side, side, 3])
  const add = builder(net)
  const first = convolution(net, 'stem_conv1', INPUT, stem, 3, { strides: 2, bias: false })
  let x: Image = {
    name: normalization(net, 'stem_bn1', first),
    side: Math.floor((side - 3) / 2) + 1,
    channels: stem,
  }
  let older: Image | undefined
  const step = (cell: (input: Image, older: Image) => Image, keepsOlder = false) => {
    const output = cell(x, older ?? x)
    if (!keepsOlder) older = x
    x = output
  }
  const reduce = (id: string, channels: number, keepsOlder = false) =>
    step((input, before) => add.reduction(id, input, before, channels), keepsOlder)
  reduce('stem_1', Math.floor(filters / 4))
  reduce('stem_2', Math.floor(filters / 2))
  for (let stage = 0; stage < 3; stage++) {
    const channels = filters * 2 ** stage
    if (stage > 0) reduce(`reduce_${stage * cells}`, channels, skips)
    for (let n = 0; n < cells; n++) {
      const id = String(stage * cells + n + (stage > 0 ? 1 : 0))
      step((input, before) => add.normal(id, input, before, channels))
    }
  }
  const average = globalAverage(net, 'global_average_pooling2d', add.rectified(x.name))
  return net.finish(dense(net, 'predictions', average, 1000, 'softmax'))
}

interface Builder {
  rectified(input: string): string
  normal(id: string, input: Image, older: Image, filters: number): Image
  reduction(id: string, input: Image, older: Image, filters: number): Image
}

/** Keras numbers the layers without a name of their own in the order in which they are made. */
function builder(net: Network): Builder {
  const next = numberedNames()
  const rectified = (input: string) => activation(net, next('activation'), input, 'relu')
  const narrow = { padding: 'same', bias: false } as const
  const sum = (name: string, one: string, other: string) => net.layer('Add', name, [one, other])
  const average3 = (name: string, input: string) =>
    pooling(net, 'Average', name, input, { size: 3, strides: 1, padding: 'same' })

  /** A convolution of 1 × 1 and a normalization, after a rectifier. */
  const pointwise = (kind: string, id: string, input: string, filters: number) => {
    const x = convolution(net, `${kind}_conv_1_${id}`, rectified(input), filters, 1, narrow)
    return normalization(net, `${kind}_bn_1_${id}`, x)
  }

  /** Two separable convolutions; the first one may halve the image. */
  const twice = (id: string, input: string, filters: number, window: number, side?: number) => {
    let x = rectified(input)
    if (side !== undefined) x = padding(net, `separable_conv_1_pad_${id}`, x, aroundHalved(window, side))
    x = separable(net, `separable_conv_1_${id}`, x, filters, window, {
      strides: side === undefined ? 1 : 2,
      padding: side === undefined ? 'same' : 'valid',
      bias: false,
    })
    x = rectified(normalization(net, `separable_conv_1_bn_${id}`, x))
    x = separable(net, `separable_conv_2_${id}`, x, filters, window, narrow)
    return normalization(net, `separable_conv_2_bn_${id}`, x)
  }

  /** The older input in the size and with the channels of the cell. */
  const adjusted = (id: string, older: Image, input: Image, filters: number): Image => {
    if (older === input) return older
    if (older.side !== input.side)
      return { name: halvedTwice(id, older.name, filters), side: input.side, channels: filters }
    if (older.channels === filters) return older
    const x = convolution(net, `adjust_conv_projection_${id}`, rectified(older.name), filters, 1, narrow)
    return { name: normalization(net, `adjust_bn_${id}`, x), side: input.side, channels: filters }
  }

  /** Half of the channels come from every other pixel, half from the pixels between. */
  const halvedTwice = (id: string, input: string, filters: number) => {
    const half = Math.floor(filters / 2)
    const picked = { size: 1, strides: 2 } as const
    const from = activation(net, `adjust_relu_1_${id}`, input, 'relu')
    const even = pooling(net, 'Average', `adjust_avg_pool_1_${id}`, from, picked)
    const evenHalf = convolution(net, `adjust_conv_1_${id}`, even, half, 1, narrow)
    const padded = padding(net, next('zero_padding2d'), from, [
      [0, 1],
      [0, 1],
    ])
    const shifted = net.layer('Cropping2D', next('cropping2d'), padded, {
      cropping: [
        [1, 0],
        [1, 0],
      ],
      data_format: 'channels_last',
    })
    const odd = pooling(net, 'Average', `adjust_avg_pool_2_${id}`, shifted, picked)
    const oddHalf = convolution(net, `adjust_conv_2_${id}`, odd, half, 1, narrow)
    const both = net.layer('Concatenate', next('concatenate'), [evenHalf, oddHalf], { axis: -1 })
    return normalization(net, `adjust_bn_${id}`, both)
  }

  return {
    rectified,
    normal(id, input, older, filters) {
      const { name: p } = adjusted(id, older, input, filters)
      const h = pointwise('normal', id, input.name, filters)
      const of = (part: string) => `normal_${part}_${id}`
      const left1 = twice(of('left1'), h, filters, 5)
      const x1 = sum(of('add_1'), left1, twice(of('right1'), p, filters, 3))
      const left2 = twice(of('left2'), p, filters, 5)
      const x2 = sum(of('add_2'), left2, twice(of('right2'), p, filters, 3))
      const x3 = sum(of('add_3'), average3(of('left3'), h), p)
      const x4 = sum(of('add_4'), average3(of('left4'), p), average3(of('right4'), p))
      const x5 = sum(of('add_5'), twice(of('left5'), h, filters, 3), h)
      const name = net.layer('Concatenate', of('concat'), [p, x1, x2, x3, x4, x5], { axis: -1 })
      return { name, side: input.side, channels: 6 * filters }
    },
    reduction(id, input, older, filters) {
      const { name: p, side } = adjusted(id, older, input, filters)
      const h = pointwise('reduction', id, input.name, filters)
      const of = (part: string) => `reduction_${part}_${id}`
      const padded = padding(net, of('pad_1'), h, aroundHalved(3, side))
      const pooled = (kind: 'Max' | 'Average', part: string) =>
        pooling(net, kind, of(part), padded, { size: 3, strides: 2 })
      const left1 = twice(of('left1'), h, filters, 5, side)
      const x1 = sum(of('add_1'), left1, twice(of('right1'), p, filters, 7, side))
      const x2 = sum(of('add_2'), pooled('Max', 'left2'), twice(of('right2'), p, filters, 7, side))
      const x3 = sum(of('add3'), pooled('Average', 'left3'), twice(of('right3'), p, filters, 5, side))
      const x4 = sum(next('add'), x2, average3(of('left4'), x1))
      const x5 = sum(of('add4'), twice(of('left4'), x1, filters, 3), pooled('Max', 'right5'))
      const name = net.layer('Concatenate', of('concat'), [x2, x3, x4, x5], { axis: -1 })
      return { name, side: Math.ceil(side / 2), channels: 4 * filters }
    },
  }
}
