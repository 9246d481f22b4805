import type { ExposedGraph } from '../engines/onnx/exposed-graph.ts'
import type { Network } from './network.ts'

/** A tensor whose numbers are factor · (pixel − zero), for each channel: its bytes are the pixels themselves. */
export interface Pixels {
  readonly tensor: string
  /** The channels are those of the image from back to front. */
  readonly isReversed: boolean
  readonly factors: Float32Array
  readonly zeros: Float32Array
}

/** Finds the tensor that the preprocessing ends with. Undefined if a convolution takes something else than pixels. */
export async function pixelsOf(
  network: Network,
  exposed: ExposedGraph,
  size: number,
): Promise<Pixels | undefined> {
  const first = network.units.find(({ kind }) => kind === 'conv')
  const tensor = first?.inputs[0]
  if (tensor === undefined || network.rootOf(tensor) !== tensor) return undefined
  const isTakenByOthers = network.readersOf(tensor).some(({ kind }) => kind !== 'conv')
  if (network.producerOf(tensor)?.kind !== 'float' || isTakenByOthers) return undefined
  const numbersFor = async (pixels: Uint8Array) => (await exposed.run(pixels, [tensor])).get(tensor)
  const image = new Uint8Array(size).map((_, i) => Math.imul(i + 1, 2654435761) >>> 24)
  const [black, white, found] = [
    await numbersFor(new Uint8Array(size)),
    await numbersFor(new Uint8Array(size).fill(255)),
    await numbersFor(image),
  ]
  const [channels = 0, height = 0, width = 0] = found?.shape ?? []
  if (!black || !white || !found || channels * height * width !== size) return undefined
  const area = height * width
  const factors = new Float32Array(channels)
  const zeros = new Float32Array(channels)
  for (let channel = 0; channel < channels; channel++) {
    const low = black.numbers[channel * area] ?? 0
    const factor = ((white.numbers[channel * area] ?? 0) - low) / 255
    if (!(factor > 0)) return undefined
    factors[channel] = factor
    zeros[channel] = -low / factor
  }
  const isIt = (isReversed: boolean) => fits(found.numbers, image, { tensor, isReversed, factors, zeros })
  const isReversed = [false, true].find(isIt)
  return isReversed === undefined ? undefined : { tensor, isReversed, factors, zeros }
}

/** Of a step between two pixels. */
const TOLERANCE = 0.01

function fits(numbers: Float32Array, image: Uint8Array, { isReversed, factors, zeros }: Pixels): boolean {
  const channels = factors.length
  const area = numbers.length / channels
  for (let channel = 0; channel < channels; channel++) {
    const from = isReversed ? channels - 1 - channel : channel
    for (let place = 0; place < area; place++) {
      const pixel = (numbers[channel * area + place] ?? 0) / (factors[channel] ?? 1) + (zeros[channel] ?? 0)
      if (!(Math.abs(pixel - (image[place * channels + from] ?? 0)) < TOLERANCE)) return false
    }
  }
  return true
}
