import { activation, convolution, dense, normalization, padding, pooling } from './blocks.ts'
import type { LayerList } from './layer-list.ts'
import { INPUT, type Network, network } from './network.ts'

/** For each stage: number, channels inside the blocks, letters in the names of the blocks. */
const STAGES = [
  [2, 64, 'abc'],
  [3, 128, 'abcd'],
  [4, 256, 'abcdef'],
  [5, 512, 'abc'],
] as const

/** A layer that only the older file has. */
export const LEGACY_RESNET50_LAYER = 'res2a_branch2a'

/**
 * ResNet50 in the first versions of Keras 2. It differs from the network of 2019: other names, Keras' default epsilon,
 * no padding before the first pooling (whose output is 55 × 55, not 56 × 56), and a 7 × 7 mean that is then flattened.
 */
export function resnet50Legacy(): LayerList {
  const net = network([224, 224, 3])
  let x = padding(net, 'conv1_pad', INPUT, 3)
  x = convolution(net, 'conv1', x, 64, 7, { strides: 2 })
  x = normalization(net, 'bn_conv1', x)
  x = activation(net, 'activation_1', x, 'relu')
  x = pooling(net, 'Max', 'max_pooling2d_1', x, { size: 3, strides: 2 })
  for (const [stage, filters, letters] of STAGES) {
    for (const letter of letters) {
      x = residual(net, `${stage}${letter}`, x, filters, {
        strides: stage > 2 && letter === 'a' ? 2 : 1,
        project: letter === 'a',
      })
    }
  }
  x = pooling(net, 'Average', 'avg_pool', x, { size: 7, strides: 7 })
  x = net.layer('Flatten', 'flatten_1', x, { data_format: 'channels_last' })
  return net.finish(dense(net, 'fc1000', x, 1000, 'softmax'))
}

function residual(
  net: Network,
  block: string,
  input: string,
  filters: number,
  { strides, project }: { strides: number; project: boolean },
): string {
  const branch = (part: string, from: string, channels: number, size: number, fields = {}) => {
    const conv = convolution(net, `res${block}_branch${part}`, from, channels, size, fields)
    return normalization(net, `bn${block}_branch${part}`, conv)
  }
  let x = activation(net, `activation_${block}_1`, branch('2a', input, filters, 1, { strides }), 'relu')
  x = activation(net, `activation_${block}_2`, branch('2b', x, filters, 3, { padding: 'same' }), 'relu')
  const last = branch('2c', x, 4 * filters, 1)
  const shortcut = project ? branch('1', input, 4 * filters, 1, { strides }) : input
  return activation(net, `activation_${block}_3`, net.layer('Add', `add_${block}`, [last, shortcut]), 'relu')
}
