import { activation, convolution, normalization, padding, pooling, predictions } from './blocks.ts'
import type { LayerList } from './layer-list.ts'
import { INPUT, type Network, network } from './network.ts'

/** The channels inside the blocks of each stage. */
const FILTERS = [64, 128, 256, 512] as const
const EPSILON = 1.001e-5

/** The network of the file of 2019; resnet50-legacy.ts has that of the older file of the same name. */
export const resnet50 = (): LayerList => resnet([3, 4, 6, 3])

export const resnet101 = (): LayerList => resnet([3, 4, 23, 3])

export const resnet152 = (): LayerList => resnet([3, 8, 36, 3])

/** `counts` has the number of blocks of each stage. */
function resnet(counts: readonly number[]): LayerList {
  const net = network([224, 224, 3])
  let x = padding(net, 'conv1_pad', INPUT, 3)
  x = convolution(net, 'conv1_conv', x, 64, 7, { strides: 2 })
  x = normalization(net, 'conv1_bn', x, { epsilon: EPSILON })
  x = activation(net, 'conv1_relu', x, 'relu')
  x = padding(net, 'pool1_pad', x, 1)
  x = pooling(net, 'Max', 'pool1_pool', x, { size: 3, strides: 2 })
  for (const [i, filters] of FILTERS.entries()) {
    const blocks = counts[i] ?? 0
    for (let block = 1; block <= blocks; block++) {
      x = residual(net, `conv${i + 2}_block${block}`, x, filters, {
        strides: i > 0 && block === 1 ? 2 : 1,
        project: block === 1,
      })
    }
  }
  return net.finish(predictions(net, x))
}

function residual(
  net: Network,
  name: string,
  input: string,
  filters: number,
  { strides, project }: { strides: number; project: boolean },
): string {
  const normalized = (part: number, from: string, channels: number, size: number, fields = {}) => {
    const conv = convolution(net, `${name}_${part}_conv`, from, channels, size, fields)
    return normalization(net, `${name}_${part}_bn`, conv, { epsilon: EPSILON })
  }
  const shortcut = project ? normalized(0, input, 4 * filters, 1, { strides }) : input
  let x = activation(net, `${name}_1_relu`, normalized(1, input, filters, 1, { strides }), 'relu')
  x = activation(net, `${name}_2_relu`, normalized(2, x, filters, 3, { padding: 'same' }), 'relu')
  const sum = net.layer('Add', `${name}_add`, [shortcut, normalized(3, x, 4 * filters, 1)])
  return activation(net, `${name}_out`, sum, 'relu')
}
