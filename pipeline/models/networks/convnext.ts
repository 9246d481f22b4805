import { activation, convolution, dense, globalAverage, numberedNames } from './blocks.ts'
import { type LayerList, operationClass } from './layer-list.ts'
import { INPUT, type Network, network } from './network.ts'

const EPSILON = 1e-6

/** For each network: number of blocks and channels of each stage. */
const PLANS = {
  tiny: [
    [3, 96],
    [3, 192],
    [9, 384],
    [3, 768],
  ],
  small: [
    [3, 96],
    [3, 192],
    [27, 384],
    [3, 768],
  ],
  base: [
    [3, 128],
    [3, 256],
    [27, 512],
    [3, 1024],
  ],
  large: [
    [3, 192],
    [3, 384],
    [27, 768],
    [3, 1536],
  ],
  xlarge: [
    [3, 256],
    [3, 512],
    [27, 1024],
    [3, 2048],
  ],
} as const

export type ConvNeXt = keyof typeof PLANS

/** Pixels are scaled within the network. Layers named `outer/inner` are in an inner model, as their weights are in a file. */
export function convnext(variant: ConvNeXt): LayerList {
  const prefix = `convnext_${variant}`
  const net = network([224, 224, 3])
  const next = numberedNames()
  let x = net.layer('Normalization', `${prefix}_prestem_normalization`, INPUT, {
    axis: -1,
    mean: [0.485 * 255, 0.456 * 255, 0.406 * 255],
    variance: [(0.229 * 255) ** 2, (0.224 * 255) ** 2, (0.225 * 255) ** 2],
  })
  for (const [stage, [blocks, channels]] of PLANS[variant].entries()) {
    x = stage === 0 ? stem(net, prefix, x, channels) : halved(net, prefix, stage - 1, x, channels)
    for (let block = 0; block < blocks; block++) {
      const inner = residual(net, `${prefix}_stage_${stage}_block_${block}`, x, channels)
      x = net.layer(operationClass('Add'), next('add'), [x, inner])
    }
  }
  x = layerNormalization(net, `${prefix}_head_layernorm`, globalAverage(net, `${prefix}_head_gap`, x))
  return net.finish(dense(net, `${prefix}_head_dense`, x, 1000, 'softmax'))
}

function stem(net: Network, prefix: string, input: string, channels: number): string {
  const name = `${prefix}_stem/${prefix}_stem`
  const x = convolution(net, `${name}_conv`, input, channels, 4, { strides: 4 })
  return layerNormalization(net, `${name}_layernorm`, x)
}

function halved(net: Network, prefix: string, n: number, input: string, channels: number): string {
  const outer = `${prefix}_downsampling_block_${n}`
  const x = layerNormalization(net, `${outer}/${prefix}_downsampling_layernorm_${n}`, input)
  return convolution(net, `${outer}/${prefix}_downsampling_conv_${n}`, x, channels, 2, { strides: 2 })
}

function residual(net: Network, name: string, input: string, channels: number): string {
  let x = convolution(net, `${name}_depthwise_conv`, input, channels, 7, {
    padding: 'same',
    groups: channels,
  })
  x = layerNormalization(net, `${name}_layernorm`, x)
  x = dense(net, `${name}_pointwise_conv_1`, x, 4 * channels, 'linear')
  x = dense(net, `${name}_pointwise_conv_2`, activation(net, `${name}_gelu`, x, 'gelu'), channels, 'linear')
  x = net.layer('LayerScale', `${name}_layer_scale`, x, { init_values: 1e-6, projection_dim: channels })
  return activation(net, `${name}_identity`, x, 'linear')
}

function layerNormalization(net: Network, name: string, input: string): string {
  return net.layer('LayerNormalization', name, input, {
    axis: -1,
    epsilon: EPSILON,
    center: true,
    scale: true,
  })
}
