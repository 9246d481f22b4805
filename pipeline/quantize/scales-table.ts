import { layerOf } from './float-graph.ts'
import type { Network } from './network.ts'
import type { Recipe } from './recipe.ts'

/** The scales of all tensors and weights as JSON, one unit a line. */
export function scalesTable({ units, rootOf }: Network, recipe: Recipe): string {
  const { method, most, tensors, channels, convolutions, floats } = recipe
  const numbers = (values: ArrayLike<number>) => Array.from(values, (value) => Number(value.toPrecision(7)))
  const lines = units.flatMap(({ kind, node, output }) => {
    if (kind === 'float' || kind === 'moves') return []
    const its = tensors.get(rootOf(output))
    const divisors = channels.get(rootOf(output))
    const weights = convolutions.get(output)
    const row = {
      layer: layerOf(node),
      kind,
      float: floats.has(output),
      ...(its && { scale: its.scale, zero: its.zero }),
      ...(divisors && { channels: numbers(divisors) }),
      ...(weights && { weights: numbers(weights.scales) }),
    }
    return [JSON.stringify(row)]
  })
  return `{"method":${JSON.stringify(method)},"largestByte":${most},"layers":[\n${lines.join(',\n')}\n]}\n`
}
