import type { OnnxGraph } from '../../pipeline/graph/onnx-graph.ts'
import type { Layer } from '../../pipeline/models/networks/layer-list.ts'

/**
 * How a graph is written: as tf2onnx writes Keras' networks, which have TensorFlow's operations, or as torch.onnx writes
 * the same networks of PyTorch, which has operators for more of them.
 */
export type Exporter = 'tf2onnx' | 'torch'

/** The output of a layer: images as pixels (height, width, channels) or as planes, other tensors as rows. */
export interface Tensor {
  readonly name: string
  readonly order: 'pixels' | 'planes' | 'rows'
}

export interface Emission {
  readonly graph: OnnxGraph
  readonly exporter: Exporter
  readonly layer: Layer
  readonly inputs: readonly Tensor[]
  /** Of the output and of the first input, as Keras counts: height, width, channels. */
  readonly shape: readonly number[]
  readonly inputShape: readonly number[]
  /** The array of a role; undefined if the layer has none. */
  read(role: string): Promise<Float32Array | undefined>
}

export function fail(what: string): never {
  throw new Error(what)
}
