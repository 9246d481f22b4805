import type { Layer } from '../models/networks/layer-list.ts'

/** The Keras names of a layer's weight arrays, in Keras' order. */
export function weightRoles({ className, config }: Layer): string[] {
  const bias = config.use_bias === false ? [] : ['bias']
  switch (className) {
    case 'Conv2D':
    case 'Dense':
      return ['kernel', ...bias]
    case 'DepthwiseConv2D':
      return ['depthwise_kernel', ...bias]
    case 'SeparableConv2D':
      return ['depthwise_kernel', 'pointwise_kernel', ...bias]
    case 'BatchNormalization':
      return [
        ...(config.scale === false ? [] : ['gamma']),
        ...(config.center === false ? [] : ['beta']),
        'moving_mean',
        'moving_variance',
      ]
    default:
      return []
  }
}
