import { byteColumns, byteRows, weighedScale } from './byte-weights.ts'
import { biasOf, convolutionWeights } from './layer-weights.ts'
import type { Network } from './network.ts'
import { endOf } from './ranges.ts'
import type { ByteConvolution, Observed, Recipe } from './recipe.ts'
import { type Passing, passingFor, roundRow } from './round-rows.ts'
import type { Unit } from './units.ts'

/**
 * Rounds the weights of a convolution, whose inputs and outputs are divided by the numbers of their channels. What the
 * rounded weights change in an output on average is added to the bias.
 */
export async function byteConvolution(
  network: Network,
  unit: Unit,
  recipe: Omit<Recipe, 'convolutions'>,
  observed: Observed,
): Promise<ByteConvolution> {
  const { method, most, channels } = recipe
  const [input = ''] = unit.inputs
  const root = network.rootOf(input)
  const [before, after] = [channels.get(root), channels.get(network.rootOf(unit.output))]
  const { numbers, outputs, inputs, area, dims, channelOf } = await convolutionWeights(network, unit)
  const given = await biasOf(network, unit)
  const biases = Float64Array.from(
    { length: outputs },
    (_, output) => (given?.[output] ?? 0) / (after?.[output] ?? 1),
  )
  const each = inputs * area
  const divisors = (output: number) =>
    Float64Array.from({ length: each }, (_, i) => before?.[channelOf(output, Math.floor(i / area))] ?? 1)
  if (before || after) {
    for (let output = 0; output < outputs; output++) {
      const factors = divisors(output)
      const divisor = after?.[output] ?? 1
      for (let i = 0; i < each; i++) {
        numbers[output * each + i] = ((numbers[output * each + i] ?? 0) * (factors[i] ?? 1)) / divisor
      }
    }
  }
  const covariance = observed.covariances.get(unit.output)
  if (method === 'minmax' || !covariance) {
    return { ...byteRows(numbers, outputs, method, most), dims, biases }
  }
  const bytes = new Int8Array(numbers.length)
  const scales = new Float32Array(outputs)
  let [group, passing]: [number, Passing | undefined] = [-1, undefined]
  let matrix: Float64Array = new Float64Array()
  let means: Float64Array = new Float64Array()
  let cut: Float64Array = new Float64Array()
  for (let output = 0; output < outputs; output++) {
    const its = Math.floor(channelOf(output, 0) / inputs)
    if (its !== group) {
      group = its
      const factors = divisors(output)
      matrix = covariance.matrix(group, factors)
      means = covariance.mean(group).map((mean, i) => mean / (factors[i] ?? 1))
      cut = means.map(
        (mean, i) =>
          mean - lostIn(observed, recipe, root, channelOf(output, Math.floor(i / area)), factors[i] ?? 1),
      )
      passing = covariance.isReliable ? passingFor(matrix) : undefined
    }
    const row = Float64Array.from(numbers.subarray(output * each, (output + 1) * each))
    const into = bytes.subarray(output * each, (output + 1) * each)
    const scale = weighedScale(row, matrix, most)
    scales[output] = scale
    if (passing) roundRow(row, scale, passing, { bytes: into, most })
    else
      for (let i = 0; i < each; i++)
        into[i] = Math.max(-most, Math.min(most, Math.round((row[i] ?? 0) / scale)))
    let shift = 0
    for (let i = 0; i < each; i++)
      shift += (row[i] ?? 0) * (means[i] ?? 0) - (into[i] ?? 0) * scale * (cut[i] ?? 0)
    biases[output] = (biases[output] ?? 0) + shift
  }
  return { bytes, scales, dims, biases }
}

/** By how much the mean of a channel sinks because large numbers are cut off, or because its zero is rounded. */
function lostIn(
  { histograms }: Observed,
  { tensors, pixels }: Pick<Recipe, 'tensors' | 'pixels'>,
  root: string,
  channel: number,
  divisor: number,
): number {
  const [histogram, scale] = [histograms.get(root), tensors.get(root)]
  if (root === pixels?.tensor) return (scale?.zero ?? 0) - (pixels.zeros[channel] ?? 0)
  if (!histogram || !scale) return 0
  const [least, most] = [-scale.scale * scale.zero, endOf(scale)]
  let lost = 0
  for (const [value, times] of histogram.entries(channel)) {
    const scaled = value / divisor
    if (scaled > most) lost += (scaled - most) * times
    else if (scaled < least) lost += (scaled - least) * times
  }
  return lost / (histogram.count(channel) || 1)
}

/** In the order of the file: a row for each input, a column for each output. */
export async function scaledMatrix({ graph }: Network, { node }: Unit, { method, most }: Recipe) {
  const name = node.input[1] ?? ''
  const dims = graph.constants.get(name)?.dims ?? []
  const [, outputs = 1] = dims
  const numbers = await graph.read(name)
  return { dims, outputs, bytes: byteColumns(numbers, outputs, method, most) }
}
