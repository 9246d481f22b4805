import { activation, convolution, normalization, pooling, predictions, separable } from './blocks.ts'
import type { LayerList } from './layer-list.ts'
import { INPUT, type Network, network } from './network.ts'

/** The blocks that halve the image, before and after the eight in the middle: the channels of their convolutions. */
const ENTRY = [
  [128, 128],
  [256, 256],
  [728, 728],
] as const
const MIDDLE_BLOCKS = 8
const EXIT = [728, 1024] as const

export function xception(): LayerList {
  const net = network([299, 299, 3])
  const shortcut = numbered()
  let x = INPUT
  for (const [i, filters] of [32, 64].entries()) {
    const name = `block1_conv${i + 1}`
    x = convolution(net, name, x, filters, 3, { strides: i === 0 ? 2 : 1, bias: false })
    x = activation(net, `${name}_act`, normalization(net, `${name}_bn`, x), 'relu')
  }
  for (const [i, filters] of ENTRY.entries())
    x = halved(net, `block${i + 2}`, x, filters, shortcut(), { rectifyFirst: i > 0 })
  for (let i = 0; i < MIDDLE_BLOCKS; i++) {
    const name = `block${i + ENTRY.length + 2}`
    let inner = x
    for (let conv = 1; conv <= 3; conv++) {
      inner = activation(net, `${name}_sepconv${conv}_act`, inner, 'relu')
      inner = convolved(net, `${name}_sepconv${conv}`, inner, 728)
    }
    x = net.layer('Add', `add_${i + ENTRY.length}`, [inner, x])
  }
  x = halved(net, 'block13', x, EXIT, shortcut(MIDDLE_BLOCKS), { rectifyFirst: true })
  for (const [i, filters] of [1536, 2048].entries()) {
    const name = `block14_sepconv${i + 1}`
    x = activation(net, `${name}_act`, convolved(net, name, x, filters), 'relu')
  }
  return net.finish(predictions(net, x))
}

interface Shortcut {
  readonly convolution: string
  readonly normalization: string
  readonly sum: string
}

/** Keras numbers the layers beside the main path by itself. `before` counts further sums before this one. */
function numbered(): (before?: number) => Shortcut {
  let count = 0
  const name = (base: string, number: number) => (number === 0 ? base : `${base}_${number}`)
  return (before = 0) => {
    const names = {
      convolution: name('conv2d', count),
      normalization: name('batch_normalization', count),
      sum: name('add', count + before),
    }
    count++
    return names
  }
}

function halved(
  net: Network,
  name: string,
  input: string,
  filters: readonly number[],
  shortcut: Shortcut,
  { rectifyFirst }: { rectifyFirst: boolean },
): string {
  const last = filters.at(-1) ?? 0
  const side = convolution(net, shortcut.convolution, input, last, 1, {
    strides: 2,
    padding: 'same',
    bias: false,
  })
  const sideNorm = normalization(net, shortcut.normalization, side)
  let x = input
  for (const [i, channels] of filters.entries()) {
    const conv = `${name}_sepconv${i + 1}`
    if (i > 0 || rectifyFirst) x = activation(net, `${conv}_act`, x, 'relu')
    x = convolved(net, conv, x, channels)
  }
  x = pooling(net, 'Max', `${name}_pool`, x, { size: 3, strides: 2, padding: 'same' })
  return net.layer('Add', shortcut.sum, [x, sideNorm])
}

function convolved(net: Network, name: string, input: string, filters: number): string {
  return normalization(
    net,
    `${name}_bn`,
    separable(net, name, input, filters, 3, { padding: 'same', bias: false }),
  )
}
