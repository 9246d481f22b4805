import { activation, convolution, normalization, padding, pooling, predictions } from './blocks.ts'
import type { LayerList } from './layer-list.ts'
import { INPUT, type Network, network } from './network.ts'

/** The channels inside the blocks of each stage. */
const FILTERS = [64, 128, 256, 512] as const
const EPSILON = 1.001e-5

export const resnet50v2 = (): LayerList => resnetV2([3, 4, 6, 3])

export const resnet101v2 = (): LayerList => resnetV2([3, 4, 23, 3])

export const resnet152v2 = (): LayerList => resnetV2([3, 8, 36, 3])

/** `counts` has the number of blocks of each stage. The last block of a stage halves the image, the first one does not. */
function resnetV2(counts: readonly number[]): LayerList {
  const net = network([224, 224, 3])
  let x = padding(net, 'conv1_pad', INPUT, 3)
  x = convolution(net, 'conv1_conv', x, 64, 7, { strides: 2 })
  x = padding(net, 'pool1_pad', x, 1)
  x = pooling(net, 'Max', 'pool1_pool', x, { size: 3, strides: 2 })
  let halvings = 0
  for (const [i, filters] of FILTERS.entries()) {
    const blocks = counts[i] ?? 0
    for (let block = 1; block <= blocks; block++) {
      const halves = block === blocks && i < FILTERS.length - 1
      const pool = halvings === 0 ? 'max_pooling2d' : `max_pooling2d_${halvings}`
      x = residual(net, `conv${i + 2}_block${block}`, x, filters, {
        project: block === 1,
        ...(halves && { pool }),
      })
      if (halves) halvings++
    }
  }
  x = activation(net, 'post_relu', normalization(net, 'post_bn', x, { epsilon: EPSILON }), 'relu')
  return net.finish(predictions(net, x))
}

/** `pool` is the name of the pooling of a block that halves the image. */
function residual(
  net: Network,
  name: string,
  input: string,
  filters: number,
  { project, pool }: { project: boolean; pool?: string },
): string {
  const strides = pool === undefined ? 1 : 2
  const normalized = (part: string, from: string) =>
    activation(
      net,
      `${name}_${part}_relu`,
      normalization(net, `${name}_${part}_bn`, from, { epsilon: EPSILON }),
      'relu',
    )
  const before = normalized('preact', input)
  const shortcut = () => {
    if (project) return convolution(net, `${name}_0_conv`, before, 4 * filters, 1)
    return pool === undefined ? input : pooling(net, 'Max', pool, input, { size: 1, strides })
  }
  const side = shortcut()
  let x = normalized('1', convolution(net, `${name}_1_conv`, before, filters, 1, { bias: false }))
  x = padding(net, `${name}_2_pad`, x, 1)
  x = normalized('2', convolution(net, `${name}_2_conv`, x, filters, 3, { strides, bias: false }))
  return net.layer('Add', `${name}_out`, [side, convolution(net, `${name}_3_conv`, x, 4 * filters, 1)])
}
