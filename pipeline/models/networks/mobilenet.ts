import { activation, convolution, depthwise, globalAverage, normalization, padding, relu6 } from './blocks.ts'
import type { LayerList } from './layer-list.ts'
import { INPUT, type Network, network } from './network.ts'

/** For each block: channels, strides. */
const BLOCKS = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [1024, 2],
  [1024, 1],
] as const

/** MobileNet 1.0 for 224 × 224. */
export function mobilenet(): LayerList {
  const net = network([224, 224, 3])
  const first = convolution(net, 'conv1', INPUT, 32, 3, { strides: 2, padding: 'same', bias: false })
  let x = rectified(net, 'conv1', first)
  for (const [i, [filters, strides]] of BLOCKS.entries()) x = block(net, i + 1, x, filters, strides)
  x = globalAverage(net, 'global_average_pooling2d', x, true)
  x = net.layer('Dropout', 'dropout', x, { rate: 0.001 })
  x = convolution(net, 'conv_preds', x, 1000, 1, { padding: 'same' })
  x = net.layer('Reshape', 'reshape_2', x, { target_shape: [1000] })
  return net.finish(activation(net, 'predictions', x, 'softmax'))
}

function block(net: Network, n: number, input: string, filters: number, strides: 1 | 2): string {
  const keepsSize = strides === 1
  const corner = [
    [0, 1],
    [0, 1],
  ] as const
  const from = keepsSize ? input : padding(net, `conv_pad_${n}`, input, corner)
  const fields = { strides, padding: keepsSize ? 'same' : 'valid', bias: false } as const
  const x = rectified(net, `conv_dw_${n}`, depthwise(net, `conv_dw_${n}`, from, 3, fields))
  const name = `conv_pw_${n}`
  return rectified(net, name, convolution(net, name, x, filters, 1, { padding: 'same', bias: false }))
}

function rectified(net: Network, name: string, from: string): string {
  return relu6(net, `${name}_relu`, normalization(net, `${name}_bn`, from))
}
