import { integerOf } from './float-graph.ts'
import type { Network } from './network.ts'
import type { Unit } from './units.ts'

/** The weights of a convolution or of a matrix, output by output. */
export interface LayerWeights {
  readonly numbers: Float32Array
  readonly outputs: number
  /** Of one output. */
  readonly inputs: number
  /** The numbers of one input. */
  readonly area: number
  readonly dims: readonly number[]
  /** The channel of the input tensor that an output's input is. */
  channelOf(output: number, input: number): number
}

export async function convolutionWeights({ graph }: Network, { node }: Unit): Promise<LayerWeights> {
  const name = node.input[1] ?? ''
  const dims = graph.constants.get(name)?.dims ?? []
  const [outputs = 1, inputs = 1, height = 1, width = 1] = dims
  const each = outputs / integerOf(node, 'group', 1)
  return {
    numbers: await graph.read(name),
    outputs,
    inputs,
    area: height * width,
    dims,
    channelOf: (output, input) => Math.floor(output / each) * inputs + input,
  }
}

/** Undefined without a bias. */
export async function biasOf({ graph }: Network, { node }: Unit): Promise<Float32Array | undefined> {
  const name = node.input[2]
  return name === undefined || name === '' ? undefined : graph.read(name)
}
