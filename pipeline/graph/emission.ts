import type { Layer } from '../models/networks/layer-list.ts'
import type { OnnxGraph } from './onnx-graph.ts'
import type { Shape } from './shapes.ts'
import type { Value } from './value.ts'

/** Everything that is needed to turn one layer into nodes of the graph. */
export interface Emission {
  readonly graph: OnnxGraph
  readonly layer: Layer
  readonly inputs: readonly Value[]
  /** The shape of the layer's output. */
  readonly shape: Shape
  /** Reads one array of the layer's weights by its Keras name; undefined if the layer has no such array. */
  read(role: string): Promise<Float32Array | undefined>
  /** The batch normalization after this layer, if the two are merged. */
  readonly affine?: Affine
}

/** y = factor · x + shift, for each channel. */
export interface Affine {
  readonly factors: Float64Array
  readonly shifts: Float64Array
}

export type Emit = (emission: Emission) => Promise<Value> | Value

export function inputOf({ layer, inputs }: Emission): Value {
  const [input] = inputs
  if (!input) throw new Error(`layer '${layer.name}' has no input`)
  return input
}

export async function readRequired(emission: Emission, role: string): Promise<Float32Array> {
  const array = await emission.read(role)
  if (!array) throw new Error(`layer '${emission.layer.name}' has no ${role}`)
  return array
}

/** The bias, merged with a following normalization; undefined if there is neither. */
export async function readBias({ read, affine }: Emission): Promise<Float32Array | undefined> {
  const bias = await read('bias')
  if (!affine) return bias
  return Float32Array.from(affine.shifts, (shift, i) => (bias?.[i] ?? 0) * (affine.factors[i] ?? 1) + shift)
}
