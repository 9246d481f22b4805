import { activation, convolution, normalization, pooling, predictions } from './blocks.ts'
import type { LayerList } from './layer-list.ts'
import { INPUT, type Network, network } from './network.ts'

/** Convolution, normalization without scale, rectifier. `fields` default to strides of 1 and padding 'same'. */
type Unit = (
  from: string,
  filters: number,
  size: readonly [number, number],
  fields?: { strides?: number; padding?: 'valid' },
) => string

interface NumberedLayers {
  readonly unit: Unit
  readonly pool: (kind: 'Max' | 'Average', from: string) => string
  readonly join: (name: string | undefined, from: readonly string[]) => string
}

/**
 * Inception v3. The layers have running numbers as names, which begin differently in different files. So weights are
 * found by the order of the layers, which must be Keras' order.
 */
export function inceptionV3(): LayerList {
  const net = network([299, 299, 3])
  const parts = numbered(net)
  const { unit, pool } = parts
  let x = unit(INPUT, 32, [3, 3], { strides: 2, padding: 'valid' })
  x = unit(x, 32, [3, 3], { padding: 'valid' })
  x = pool('Max', unit(x, 64, [3, 3]))
  x = unit(x, 80, [1, 1], { padding: 'valid' })
  x = pool('Max', unit(x, 192, [3, 3], { padding: 'valid' }))
  for (const [i, poolFilters] of [32, 64, 64].entries()) x = block35(parts, `mixed${i}`, x, poolFilters)
  x = reduction35(parts, 'mixed3', x)
  for (const [i, filters] of [128, 160, 160, 192].entries()) x = block17(parts, `mixed${i + 4}`, x, filters)
  x = reduction17(parts, 'mixed8', x)
  for (const i of [0, 1]) x = block8(parts, `mixed${9 + i}`, `mixed9_${i}`, x)
  return net.finish(predictions(net, x))
}

function block35({ unit, pool, join }: NumberedLayers, name: string, x: string, poolFilters: number): string {
  const a = unit(x, 64, [1, 1])
  const b = unit(unit(x, 48, [1, 1]), 64, [5, 5])
  const c = unit(unit(unit(x, 64, [1, 1]), 96, [3, 3]), 96, [3, 3])
  const d = unit(pool('Average', x), poolFilters, [1, 1])
  return join(name, [a, b, c, d])
}

function reduction35({ unit, pool, join }: NumberedLayers, name: string, x: string): string {
  const a = unit(x, 384, [3, 3], { strides: 2, padding: 'valid' })
  const b = unit(unit(unit(x, 64, [1, 1]), 96, [3, 3]), 96, [3, 3], { strides: 2, padding: 'valid' })
  return join(name, [a, b, pool('Max', x)])
}

function block17({ unit, pool, join }: NumberedLayers, name: string, x: string, filters: number): string {
  const a = unit(x, 192, [1, 1])
  const b = unit(unit(unit(x, filters, [1, 1]), filters, [1, 7]), 192, [7, 1])
  let c = unit(unit(x, filters, [1, 1]), filters, [7, 1])
  c = unit(unit(unit(c, filters, [1, 7]), filters, [7, 1]), 192, [1, 7])
  const d = unit(pool('Average', x), 192, [1, 1])
  return join(name, [a, b, c, d])
}

function reduction17({ unit, pool, join }: NumberedLayers, name: string, x: string): string {
  const a = unit(unit(x, 192, [1, 1]), 320, [3, 3], { strides: 2, padding: 'valid' })
  const b = unit(unit(unit(x, 192, [1, 1]), 192, [1, 7]), 192, [7, 1])
  return join(name, [a, unit(b, 192, [3, 3], { strides: 2, padding: 'valid' }), pool('Max', x)])
}

function block8({ unit, pool, join }: NumberedLayers, name: string, innerName: string, x: string): string {
  const a = unit(x, 320, [1, 1])
  const b = unit(x, 384, [1, 1])
  const wideAndTall = (from: string) => [unit(from, 384, [1, 3]), unit(from, 384, [3, 1])]
  const c = join(innerName, wideAndTall(b))
  const d = join(undefined, wideAndTall(unit(unit(x, 448, [1, 1]), 384, [3, 3])))
  return join(name, [a, c, d, unit(pool('Average', x), 192, [1, 1])])
}

function numbered(net: Network): NumberedLayers {
  const counts = new Map<string, number>()
  function next(word: string): string {
    const n = counts.get(word) ?? 0
    counts.set(word, n + 1)
    return n === 0 ? word : `${word}_${n}`
  }
  return {
    unit(from, filters, size, { strides = 1, padding = 'same' as const } = {}) {
      const conv = convolution(net, next('conv2d'), from, filters, size, { strides, padding, bias: false })
      return activation(
        net,
        next('activation'),
        normalization(net, next('batch_normalization'), conv, { scale: false }),
        'relu',
      )
    },
    pool(kind, from) {
      const name = next(kind === 'Max' ? 'max_pooling2d' : 'average_pooling2d')
      const window = kind === 'Max' ? { strides: 2 } : { strides: 1, padding: 'same' as const }
      return pooling(net, kind, name, from, { size: 3, ...window })
    },
    join: (name, from) => net.layer('Concatenate', name ?? next('concatenate'), from, { axis: 3 }),
  }
}
