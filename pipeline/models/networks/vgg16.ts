import { convolution, dense, pooling } from './blocks.ts'
import type { LayerList } from './layer-list.ts'
import { INPUT, network } from './network.ts'

/** For each block: channels of the convolutions, number of convolutions. */
const BLOCKS = [
  [64, 2],
  [128, 2],
  [256, 3],
  [512, 3],
  [512, 3],
] as const

export function vgg16(): LayerList {
  const net = network([224, 224, 3])
  let x = INPUT
  for (const [i, [filters, count]] of BLOCKS.entries()) {
    const block = `block${i + 1}`
    for (let conv = 1; conv <= count; conv++) {
      x = convolution(net, `${block}_conv${conv}`, x, filters, 3, { padding: 'same', activation: 'relu' })
    }
    x = pooling(net, 'Max', `${block}_pool`, x, { size: 2, strides: 2 })
  }
  x = net.layer('Flatten', 'flatten', x, { data_format: 'channels_last' })
  x = dense(net, 'fc1', x, 4096, 'relu')
  x = dense(net, 'fc2', x, 4096, 'relu')
  return net.finish(dense(net, 'predictions', x, 1000, 'softmax'))
}
