import { dirname } from 'node:path'
import { type ExposedGraph, openExposedGraph } from '../engines/onnx/exposed-graph.ts'
import { encodeModel, FLOAT, type ValueInfoProto } from '../graph/onnx-schema.ts'
import type { FloatGraph } from './float-graph.ts'
import { Histogram } from './histogram.ts'
import { byteTensors, type Network } from './network.ts'
import { Covariance, patchShape } from './patches.ts'
import { type Pixels, pixelsOf } from './pixels.ts'

/** For all histograms together, whatever the number of images. */
const MOST_BYTES = 96 * 2 ** 20
/** Rounding the weights of a convolution takes time by the square of an output's inputs. */
const MOST_INPUTS = 1024
const MOST_COVARIANCE_BYTES = 192 * 2 ** 20
const MOST_BINS = 512
const FEWEST_BINS = 64
/** Numbers in a row, such as those of a dense layer, count as channels up to so many. */
const MOST_CHANNELS = 4096

/** Counts what occurs in the tensors of a model while it answers images. */
export class Calibration {
  readonly #exposed: ExposedGraph
  readonly #network: Network
  readonly #tensors: readonly string[]
  #covariances: Map<string, Covariance> | undefined
  #histograms: Map<string, Histogram> | undefined
  /** By tensor, without the batch. */
  readonly shapes = new Map<string, readonly number[]>()

  readonly pixels: Pixels | undefined

  constructor(
    exposed: ExposedGraph,
    network: Network,
    { tensors, pixels }: { tensors: readonly string[]; pixels: Pixels | undefined },
  ) {
    this.pixels = pixels
    this.#exposed = exposed
    this.#network = network
    this.#tensors = tensors
  }

  static async open(network: Network, modelPath: string, threads: number): Promise<Calibration> {
    const tensors = byteTensors(network).filter((name) => name !== network.graph.input.name)
    // Behind a pooling, a convolution has other inputs than the tensor whose scale they have.
    const inputs = network.units.flatMap(({ kind, inputs }) => (kind === 'conv' ? inputs : []))
    const model = withOutputs(network.graph, [...new Set([...tensors, ...inputs])])
    const exposed = await openExposedGraph({ model, folder: dirname(modelPath), threads, prepack: false })
    const dims = network.graph.input.type.tensorType.shape?.dim.slice(1) ?? []
    const size = dims.reduce((product, { dimValue = 1 }) => product * dimValue, 1)
    const pixels = await pixelsOf(network, exposed, size)
    return new Calibration(exposed, network, { tensors, pixels })
  }

  /** One image; returns all tensors, by name. */
  async add(pixels: Uint8Array): Promise<void> {
    const tensors = await this.#exposed.run(pixels)
    for (const [name, { shape }] of tensors) this.shapes.set(name, shape)
    this.#histograms ??= this.#newHistograms()
    this.#covariances ??= this.#newCovariances()
    for (const [name, histogram] of this.#histograms) {
      const numbers = tensors.get(name)?.numbers
      if (numbers) histogram.add(numbers)
    }
    for (const { inputs, output } of this.#network.units) {
      const [input, covariance] = [tensors.get(inputs[0] ?? ''), this.#covariances.get(output)]
      if (input && covariance) covariance.add(input.numbers, input.shape)
    }
  }

  get histograms(): ReadonlyMap<string, Histogram> {
    return this.#histograms ?? new Map()
  }

  get covariances(): ReadonlyMap<string, Covariance> {
    return this.#covariances ?? new Map()
  }

  close(): Promise<void> {
    return this.#exposed.close()
  }

  #newHistograms(): Map<string, Histogram> {
    const channels = this.#tensors.map((name) => [name, channelsOf(this.shapes.get(name) ?? [])] as const)
    const total = channels.reduce((sum, [, count]) => sum + count, 0)
    const bins = Math.max(FEWEST_BINS, Math.min(MOST_BINS, Math.floor(MOST_BYTES / (8 * total))))
    return new Map(channels.map(([name, count]) => [name, new Histogram(count, bins)]))
  }

  #newCovariances(): Map<string, Covariance> {
    const { units, graph } = this.#network
    const covariances = new Map<string, Covariance>()
    let left = MOST_COVARIANCE_BYTES
    for (const unit of units) {
      const shape = this.shapes.get(unit.output)
      if (unit.kind !== 'conv' || !shape) continue
      const patch = patchShape(unit, graph.constants.get(unit.node.input[1] ?? '')?.dims ?? [], shape)
      const bytes = Covariance.bytesFor(patch)
      if (patch.inputs * patch.kernel[0] * patch.kernel[1] > MOST_INPUTS || bytes > left) continue
      left -= bytes
      covariances.set(unit.output, new Covariance(patch))
    }
    return covariances
  }
}

function channelsOf(shape: readonly number[]): number {
  const [channels = 1] = shape
  if (shape.length === 3) return channels
  return shape.length === 1 && channels <= MOST_CHANNELS ? channels : 1
}

/** The model with some of its tensors as outputs, beside those that it has. */
export function withOutputs(
  { nodes, constants, input, outputs }: FloatGraph,
  tensors: readonly string[],
): Uint8Array {
  const served = new Set(outputs.map(({ name }) => name))
  const more = tensors.filter((name) => !served.has(name)).map(bare)
  return encodeModel({
    irVersion: 9,
    producerName: 'tandem',
    producerVersion: '',
    opsetImport: [{ domain: '', version: 20 }],
    graph: {
      name: 'exposed',
      node: nodes,
      initializer: [...constants.values()],
      input: [input],
      output: [...outputs, ...more],
    },
  })
}

/** Without a shape, which ONNX Runtime infers. */
export const bare = (name: string): ValueInfoProto => ({
  name,
  type: { tensorType: { elemType: FLOAT } },
})
