import { equalized } from './equalize.ts'
import { integersOf } from './float-graph.ts'
import type { Histogram } from './histogram.ts'
import { byteTensors, type Network } from './network.ts'
import type { Pixels } from './pixels.ts'
import { numbersOf, rangeOf, scaleOf } from './ranges.ts'
import type { ByteConvolution, ByteScale, Method, Observed, Recipe } from './recipe.ts'
import { byteConvolution } from './scaled-weights.ts'

/** Decides on all scales, and rounds the weights of convolutions, from what occurred in the calibration. */
export async function makeRecipe(
  network: Network,
  observed: Observed,
  { method, most }: Pick<Recipe, 'method' | 'most'>,
  progress: (fraction: number) => void = () => undefined,
): Promise<Recipe> {
  const floats = new Set(method === 'squares' ? lastConvolutions(network, observed) : [])
  const channels = method === 'squares' ? await equalized(network, observed) : new Map<string, Float32Array>()
  const tensors = new Map<string, ByteScale>()
  for (const tensor of byteTensors(network)) {
    const histogram = observed.histograms.get(tensor)
    if (histogram) tensors.set(tensor, scaleFor(histogram, channels.get(tensor), method))
  }
  const pixels = method === 'squares' && usable(network, observed, floats) ? observed.pixels : undefined
  if (pixels) {
    channels.set(pixels.tensor, pixels.factors)
    tensors.set(pixels.tensor, { scale: 1, zero: zeroOf(pixels) })
  }
  const recipe = { method, tensors, channels, floats, most, pixels }
  const convolutions = new Map<string, ByteConvolution>()
  const units = network.units.filter(({ kind, output }) => kind === 'conv' && !floats.has(output))
  for (const [i, unit] of units.entries()) {
    progress(i / units.length)
    convolutions.set(unit.output, await byteConvolution(network, unit, recipe, observed))
  }
  return { ...recipe, convolutions }
}

/** The same with further units that stay float. */
export function withFloats(recipe: Recipe, outputs: Iterable<string>): Recipe {
  return { ...recipe, floats: new Set([...recipe.floats, ...outputs]) }
}

function scaleFor(histogram: Histogram, channels: Float32Array | undefined, method: Method): ByteScale {
  // Equalised channels end at 1 each.
  if (channels) return scaleOf({ least: 0, most: 1 })
  return scaleOf(rangeOf(numbersOf(histogram), method))
}

const zeroOf = ({ zeros }: Pixels): number =>
  Math.round(zeros.reduce((sum, zero) => sum + zero, 0) / zeros.length)

/** Around an image, a convolution takes zeros; as bytes, there is one zero for all channels. */
function usable(
  { readersOf }: Network,
  { pixels, covariances }: Observed,
  floats: ReadonlySet<string>,
): boolean {
  if (!pixels) return false
  const zero = zeroOf(pixels)
  const isClose = zero >= 0 && zero <= 255 && pixels.zeros.every((own) => Math.abs(own - zero) <= 1)
  return readersOf(pixels.tensor).every(({ node, output }) => {
    const isBare = (integersOf(node, 'pads') ?? []).every((pad) => pad === 0)
    return covariances.has(output) && !floats.has(output) && (isBare || isClose)
  })
}

/** Convolutions that give the answer of a network. As bytes, the logits would be too coarse, and little time is saved. */
function lastConvolutions({ units, readersOf }: Network, { shapes }: Observed): string[] {
  return units.flatMap(({ kind, output }) => {
    const [, height = 1, width = 1] = shapes.get(output) ?? []
    const isLast = readersOf(output).every((reader) => reader.kind === 'float')
    return kind === 'conv' && height * width === 1 && isLast ? [output] : []
  })
}
