import { dirname } from 'node:path'
import { openExposedGraph } from '../engines/onnx/exposed-graph.ts'
import { FLOAT, type NodeProto, type TensorProto, UINT8 } from '../graph/onnx-schema.ts'
import { powerOf } from './agreement.ts'
import { withOutputs } from './calibrate.ts'
import type { Network } from './network.ts'
import type { Recipe } from './recipe.ts'

export interface Sample {
  readonly pixels: Uint8Array
  /** What the float model answers. */
  readonly answer: Float32Array
}

export interface NoiseParts {
  readonly network: Network
  readonly recipe: Recipe
  readonly modelPath: string
  readonly threads: number
}

/** The noise in the answers if one tensor alone is rounded to bytes: squared errors over squares. */
export async function noiseOf(
  { network, recipe, modelPath, threads }: NoiseParts,
  tensor: string,
  samples: readonly Sample[],
): Promise<number> {
  const model = withOutputs(withRounded(network, recipe, tensor), [])
  const exposed = await openExposedGraph({ model, folder: dirname(modelPath), threads, prepack: false })
  try {
    let [power, noise] = [0, 0]
    const [output] = network.graph.outputs
    for (const { pixels, answer } of samples) {
      const found = (await exposed.run(pixels)).get(output?.name ?? '')?.numbers ?? new Float32Array()
      const [its, error] = powerOf(answer, found)
      power += its
      noise += error
    }
    return power === 0 ? 0 : noise / power
  } finally {
    await exposed.close()
  }
}

function withRounded({ graph }: Network, recipe: Recipe, tensor: string): Network['graph'] {
  const constants = new Map(graph.constants)
  const constant = (name: string, dims: readonly number[], array: Float32Array | Uint8Array): string => {
    const dataType = array instanceof Uint8Array ? UINT8 : FLOAT
    const rawData = new Uint8Array(array.buffer.slice(array.byteOffset, array.byteOffset + array.byteLength))
    const proto: TensorProto = { name: `${tensor} ${name}`, dims: [...dims], dataType, rawData }
    constants.set(proto.name, proto)
    return proto.name
  }
  const { scale, zero } = recipe.tensors.get(tensor) ?? { scale: 1, zero: 0 }
  const channels = recipe.channels.get(tensor)
  const scales = [constant('scale', [], Float32Array.of(scale)), constant('zero', [], Uint8Array.of(zero))]
  const by = channels
    ? constant('channels', [channels.length, 1, 1], channels)
    : constant('one', [], Float32Array.of(1))
  const node = (opType: string, input: string[], name: string): NodeProto => ({
    name: `${tensor} ${name}`,
    opType,
    input,
    output: [`${tensor} ${name}`],
    attribute: [],
  })
  const rounding = [
    node('Div', [tensor, by], 'divided'),
    node('QuantizeLinear', [`${tensor} divided`, ...scales], 'bytes'),
    node('DequantizeLinear', [`${tensor} bytes`, ...scales], 'back'),
    node('Mul', [`${tensor} back`, by], 'rounded'),
  ]
  const nodes = graph.nodes.flatMap((its) => {
    const input = its.input.map((name) => (name === tensor ? `${tensor} rounded` : name))
    const taken = { ...its, input }
    return its.output.includes(tensor) ? [taken, ...rounding] : [taken]
  })
  return { ...graph, nodes, constants }
}

/** How many numbers a unit multiplies for one image. */
export function workOf(
  { graph, producerOf }: Network,
  output: string,
  shapes: ReadonlyMap<string, readonly number[]>,
): number {
  const { node, kind } = producerOf(output) ?? {}
  if (kind !== 'conv' && kind !== 'matrix') return 0
  const { dims = [] } = graph.constants.get(node?.input[1] ?? '') ?? {}
  const [channels = 1, ...size] = shapes.get(output) ?? []
  const places = size.reduce((product, length) => product * length, 1)
  if (node?.opType === 'Gemm') return dims.reduce((product, length) => product * length, 1)
  return channels * places * dims.slice(1).reduce((product, length) => product * length, 1)
}
