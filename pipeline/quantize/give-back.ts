import type { Network } from './network.ts'
import { workOf } from './noise.ts'
import type { Observed, Recipe } from './recipe.ts'

/** A tensor that stays float, together with the units around it. */
export interface GivenBack {
  readonly tensor: string
  readonly units: readonly string[]
}

/** Noise from the weights of a unit, for which no single measurement is made: about that of other units. */
const NOISE_OF_WEIGHTS = 10 ** -4.4

/**
 * The order in which tensors are given back: those first that bring the most noise for the work of the units that become
 * float again.
 */
export function orderOfReturn(
  network: Network,
  { shapes }: Pick<Observed, 'shapes'>,
  { recipe, noises }: { recipe: Recipe; noises: ReadonlyMap<string, number> },
): GivenBack[] {
  const whole = [...recipe.convolutions.keys()].reduce(
    (sum, output) => sum + workOf(network, output, shapes),
    0,
  )
  const around = new Map([...noises.keys()].map((tensor) => [tensor, unitsAround(network, tensor)]))
  const floats = new Set<string>()
  const order: GivenBack[] = []
  const left = new Set(noises.keys())
  while (left.size > 0) {
    let best: { tensor: string; worth: number } | undefined
    for (const tensor of left) {
      const units = (around.get(tensor) ?? []).filter((unit) => !floats.has(unit))
      const work = units.reduce((sum, unit) => sum + workOf(network, unit, shapes), 0) / (whole || 1)
      const noise = (noises.get(tensor) ?? 0) + units.length * NOISE_OF_WEIGHTS
      const worth = noise / (work + LEAST_WORK)
      if (!best || worth > best.worth) best = { tensor, worth }
    }
    if (!best) break
    const units = around.get(best.tensor) ?? []
    for (const unit of units) floats.add(unit)
    left.delete(best.tensor)
    order.push({ tensor: best.tensor, units })
  }
  return order
}

/** Going over to floats and back takes time too. */
const LEAST_WORK = 0.02

/** The units that give a tensor its numbers, and those that take them. */
function unitsAround({ units, rootOf, readersOf }: Network, tensor: string): string[] {
  const makers = units.filter(({ kind, output }) => kind !== 'moves' && rootOf(output) === tensor)
  return [...new Set([...makers, ...readersOf(tensor)])]
    .filter(({ kind }) => kind !== 'float' && kind !== 'moves')
    .map(({ output }) => output)
}
