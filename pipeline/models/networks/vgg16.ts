import { convolution, dense, pooling } from './blocks.ts'
import type { LayerList } from './layer-list.ts'
import { INPUT, network } from './network.ts'

const FILTERS = [64, 128, 256, 512, 512] as const

export const vgg16 = (): LayerList => vgg([2, 2, 3, 3, 3])

export const vgg19 = (): LayerList => vgg([2, 2, 4, 4, 4])

/** `counts` has the number of convolutions of each block. */
function vgg(counts: readonly number[]): LayerList {
  const net = network([224, 224, 3])
  let x = INPUT
  for (const [i, filters] of FILTERS.entries()) {
    const count = counts[i] ?? 0
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
