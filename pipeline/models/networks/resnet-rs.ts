import {
  activation,
  convolution,
  dense,
  globalAverage,
  normalization,
  numberedNames,
  padding,
  pooling,
} from './blocks.ts'
import type { LayerList } from './layer-list.ts'
import { INPUT, type Network, network } from './network.ts'

const EPSILON = 1e-5
/** The channels inside the blocks of each stage. */
const FILTERS = [64, 128, 256, 512] as const

/** For each depth: the number of blocks of each stage. */
const PLANS = {
  50: [3, 4, 6, 3],
  101: [3, 4, 23, 3],
  152: [3, 8, 36, 3],
  200: [3, 24, 36, 3],
  270: [4, 29, 53, 4],
  350: [4, 36, 72, 4],
  420: [4, 44, 87, 4],
} as const

export type ResNetRS = keyof typeof PLANS

/** ResNet-RS of Keras 2, which weighs its channels. Pixels are scaled within the network. */
export function resnetRS(depth: ResNetRS): LayerList {
  const net = network([224, 224, 3])
  const next = numberedNames()
  let x = net.layer('Rescaling', 'rescaling', INPUT, { scale: 1 / 255, offset: 0 })
  x = net.layer('Normalization', 'normalization', x, {
    axis: -1,
    mean: [0.485, 0.456, 0.406],
    variance: [0.229 ** 2, 0.224 ** 2, 0.225 ** 2],
  })
  for (const [i, [filters, strides]] of STEM.entries()) {
    const part = (word: string) => `stem_1_stem_${word}_${i + 1}`
    x = convolved(net, next, part('conv'), x, filters, 3, strides)
    x = activation(net, part('act'), normalization(net, part('batch_norm'), x, { epsilon: EPSILON }), 'relu')
  }
  for (const [stage, filters] of FILTERS.entries()) {
    for (let block = 0; block < (PLANS[depth][stage] ?? 0); block++) {
      const name = `BlockGroup${stage + 2}__block_${block}_`
      x = residual(net, next, name, x, filters, {
        strides: block === 0 && stage > 0 ? 2 : 1,
        project: block === 0,
      })
    }
  }
  x = net.layer('Dropout', 'top_dropout', globalAverage(net, 'avg_pool', x), { rate: 0.25 })
  return net.finish(dense(net, 'predictions', x, 1000, 'softmax'))
}

/** The first convolutions: channels, strides. */
const STEM = [
  [32, 2],
  [32, 1],
  [64, 1],
  [64, 2],
] as const

type Next = ReturnType<typeof numberedNames>

/** Where the image is halved, the same borders are added on all sides, whatever the size of the image. */
function convolved(
  net: Network,
  next: Next,
  name: string,
  input: string,
  filters: number,
  size: number,
  strides: 1 | 2 = 1,
): string {
  if (strides === 1) return convolution(net, name, input, filters, size, { padding: 'same', bias: false })
  const padded = padding(net, next('zero_padding2d'), input, (size - 1) / 2)
  return convolution(net, name, padded, filters, size, { strides, bias: false })
}

function residual(
  net: Network,
  next: Next,
  name: string,
  input: string,
  filters: number,
  { strides, project }: { strides: 1 | 2; project: boolean },
): string {
  const normalized = (norm: string, from: string) =>
    normalization(net, `${name}${norm}`, from, { epsilon: EPSILON })
  const side = project
    ? normalized('_projection_batch_norm', projected(net, name, input, filters, strides))
    : input
  // Keras 2 has no underscore here in the name of the first normalization.
  let x = normalized('batch_norm_1', convolved(net, next, `${name}_conv_1`, input, filters, 1))
  x = activation(net, `${name}_act_1`, x, 'relu')
  x = normalized('_batch_norm_2', convolved(net, next, `${name}_conv_2`, x, filters, 3, strides))
  x = activation(net, `${name}_act_2`, x, 'relu')
  x = normalized('_batch_norm_3', convolved(net, next, `${name}_conv_3`, x, 4 * filters, 1))
  x = weighed(net, `${name}_se`, x, 4 * filters, filters)
  x = net.layer('Dropout', `${name}_drop`, x, { rate: 0.2 })
  return activation(net, `${name}_output_act`, net.layer('Add', next('add'), [x, side]), 'relu')
}

function projected(net: Network, name: string, input: string, filters: number, strides: 1 | 2): string {
  const from =
    strides === 1
      ? input
      : pooling(net, 'Average', `${name}_projection_pooling`, input, { size: 2, strides: 2, padding: 'same' })
  return convolution(net, `${name}_projection_conv`, from, 4 * filters, 1, { padding: 'same', bias: false })
}

function weighed(net: Network, name: string, input: string, channels: number, squeezed: number): string {
  let x = globalAverage(net, `${name}_se_squeeze`, input)
  x = net.layer('Reshape', `${name}_se_reshape`, x, { target_shape: [1, 1, channels] })
  x = convolution(net, `${name}_se_reduce`, x, squeezed, 1, { padding: 'same', activation: 'relu' })
  x = convolution(net, `${name}_se_expand`, x, channels, 1, { padding: 'same', activation: 'sigmoid' })
  return net.layer('Multiply', `${name}_se_excite`, [input, x])
}
