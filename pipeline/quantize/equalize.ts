import type { Histogram } from './histogram.ts'
import { convolutionWeights, type LayerWeights } from './layer-weights.ts'
import type { Network } from './network.ts'
import { numbersOf, numbersOfChannel, rangeOf } from './ranges.ts'
import type { Observed } from './recipe.ts'
import type { Unit } from './units.ts'

/**
 * Bytes have one scale for a whole tensor, while the channels of a tensor may differ by a factor of a hundred. So each
 * channel is divided by a number of its own, which the weights of the convolution before and behind take in. Weights have
 * one scale for each output: dividing outputs costs nothing, and multiplying inputs makes the weights of an output more
 * unlike each other. How far to go is decided by the noise that is to be expected.
 */
export async function equalized(network: Network, observed: Observed): Promise<Map<string, Float32Array>> {
  const channels = new Map<string, Float32Array>()
  for (const unit of network.units) {
    const histogram = observed.histograms.get(unit.output)
    if (!histogram || !isEligible(network, unit)) continue
    const readers = network.readersOf(unit.output).filter(({ kind }) => kind === 'conv')
    const weights = await Promise.all(readers.map((reader) => convolutionWeights(network, reader)))
    channels.set(unit.output, bestChannels(histogram, weights))
  }
  return channels
}

function isEligible({ graph, rootOf, readersOf }: Network, { kind, activation, output }: Unit): boolean {
  if (kind !== 'conv' || !activation || rootOf(output) !== output) return false
  if (graph.outputs.some(({ name }) => name === output)) return false
  const readers = readersOf(output)
  return readers.length > 0 && readers.every((reader) => reader.kind === 'conv')
}

/** No channel is finer than this part of the whole tensor: images that are still to come may have larger numbers. */
const LEAST_PART = 1 / 64
const STRENGTHS: readonly number[] = [0, 0.25, 0.5, 0.75, 1]

function bestChannels(histogram: Histogram, readers: readonly LayerWeights[]): Float32Array {
  const whole = rangeOf(numbersOf(histogram), 'squares').most || 1
  const own = Float32Array.from({ length: histogram.channels }, (_, channel) => {
    const { most } = rangeOf(numbersOfChannel(histogram, channel), 'squares')
    return Math.max(most, whole * LEAST_PART)
  })
  const dense = readers.filter(({ inputs }) => inputs > 1)
  if (dense.length === 0) return own
  const powers = powersOf(histogram)
  let best = { noise: Number.POSITIVE_INFINITY, channels: own }
  for (const strength of STRENGTHS) {
    const channels = own.map((range) => Math.max(range, whole ** (1 - strength) * range ** strength))
    const noise = dense.reduce((sum, weights) => sum + noiseOf(weights, channels, powers), 0)
    if (noise < best.noise) best = { noise, channels }
  }
  return best.channels
}

/** The mean square of each channel, and how much of it is not zero. */
function powersOf(histogram: Histogram): { square: number; filled: number }[] {
  return Array.from({ length: histogram.channels }, (_, channel) => {
    let [squares, filled] = [0, 0]
    for (const [value, times] of histogram.entries(channel)) {
      squares += value * value * times
      filled += times
    }
    const count = histogram.count(channel) || 1
    return { square: squares / count, filled: filled / count }
  })
}

/** The noise in the outputs of a convolution, from rounded inputs and from rounded weights. */
function noiseOf(
  { numbers, outputs, inputs, area, channelOf }: LayerWeights,
  channels: Float32Array,
  powers: readonly { square: number; filled: number }[],
): number {
  let noise = 0
  for (let output = 0; output < outputs; output++) {
    let [fromInputs, largest, power] = [0, 0, 0]
    for (let input = 0; input < inputs; input++) {
      const at = channelOf(output, input)
      const channel = channels[at] ?? 1
      const { square = 0, filled = 0 } = powers[at] ?? {}
      const step = channel / 255
      const base = (output * inputs + input) * area
      let weight = 0
      for (let place = 0; place < area; place++) {
        const value = numbers[base + place] ?? 0
        weight += value * value
        largest = Math.max(largest, Math.abs(value) * channel)
      }
      fromInputs += weight * step * step * filled
      power += (area * square) / (channel * channel)
    }
    const step = largest / 127
    noise += (fromInputs + step * step * power) / 12
  }
  return noise
}
