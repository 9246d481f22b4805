import type { Layer } from '../models/networks/layer-list.ts'
import type { OnnxGraph } from './onnx-graph.ts'
import type { Shape } from './shapes.ts'
import type { Value } from './value.ts'

/** What there is to know when a layer becomes nodes of the graph. */
export interface Emission {
  readonly graph: OnnxGraph
  readonly layer: Layer
  readonly inputs: readonly Value[]
  /** The layer's output. */
  readonly shape: Shape
  /** One array of the layer's weights, by its Keras name; none if the layer does without it. */
  read(role: string): Promise<Float32Array | undefined>
  /** What a batch normalization that follows does to each channel, where this layer can do it along. */
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

/** The bias with a following normalization worked in; none where it would be zero. */
export async function readBias({ read, affine }: Emission): Promise<Float32Array | undefined> {
  const bias = await read('bias')
  if (!affine) return bias
  return Float32Array.from(affine.shifts, (shift, i) => (bias?.[i] ?? 0) * (affine.factors[i] ?? 1) + shift)
}
