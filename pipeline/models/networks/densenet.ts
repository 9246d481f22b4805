import { activation, convolution, normalization, padding, pooling, predictions } from './blocks.ts'
import type { LayerList } from './layer-list.ts'
import { INPUT, type Network, network } from './network.ts'

const EPSILON = 1.001e-5
/** The channels that each layer of a dense block adds. */
const GROWTH = 32

export const densenet121 = (): LayerList => densenet([6, 12, 24, 16])

export const densenet169 = (): LayerList => densenet([6, 12, 32, 32])

export const densenet201 = (): LayerList => densenet([6, 12, 48, 32])

/** `counts` has the number of layers of each dense block. */
function densenet(counts: readonly number[]): LayerList {
  const net = network([224, 224, 3])
  let x = padding(net, 'zero_padding2d', INPUT, 3)
  x = convolution(net, 'conv1_conv', x, 64, 7, { strides: 2, bias: false })
  x = rectified(net, 'conv1_bn', 'conv1_relu', x)
  x = padding(net, 'zero_padding2d_1', x, 1)
  x = pooling(net, 'Max', 'pool1', x, { size: 3, strides: 2 })
  let channels = 64
  for (const [i, count] of counts.entries()) {
    for (let layer = 1; layer <= count; layer++) x = grown(net, `conv${i + 2}_block${layer}`, x)
    channels += count * GROWTH
    if (i === counts.length - 1) break
    channels /= 2
    const name = `pool${i + 2}`
    x = convolution(net, `${name}_conv`, rectified(net, `${name}_bn`, `${name}_relu`, x), channels, 1, {
      bias: false,
    })
    x = pooling(net, 'Average', `${name}_pool`, x, { size: 2, strides: 2 })
  }
  return net.finish(predictions(net, rectified(net, 'bn', 'relu', x)))
}

function rectified(net: Network, norm: string, relu: string, input: string): string {
  return activation(net, relu, normalization(net, norm, input, { epsilon: EPSILON }), 'relu')
}

/** Adds channels to those that are there. */
function grown(net: Network, name: string, input: string): string {
  let x = rectified(net, `${name}_0_bn`, `${name}_0_relu`, input)
  x = convolution(net, `${name}_1_conv`, x, 4 * GROWTH, 1, { bias: false })
  x = rectified(net, `${name}_1_bn`, `${name}_1_relu`, x)
  x = convolution(net, `${name}_2_conv`, x, GROWTH, 3, { padding: 'same', bias: false })
  return net.layer('Concatenate', `${name}_concat`, [input, x], { axis: -1 })
}
