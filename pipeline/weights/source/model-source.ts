import type { Kernels } from '../../models/model-settings.ts'
import type { SourceGroup } from './source-array.ts'
import type { Topology, WeightPlace } from './topology.ts'

export type ModelFormat =
  | 'keras-h5'
  | 'keras-h5-weights'
  | 'keras3-weights'
  | 'keras-zip'
  | 'theano-h5'
  | 'tfjs'
  | 'onnx'

/** An open file of one of the formats. */
export interface ModelSource {
  readonly format: ModelFormat
  /** For messages. */
  readonly name: string
  /** What the file says that it is made of; undefined when it holds weights alone. */
  readonly topology?: Topology
  /** The layers as the file lists them. */
  readonly groupNames: readonly string[]
  /** The file's arrays, and which group each layer of the topology belongs to; looked at, and not read. */
  groups?(topology: Topology, kernels: Kernels | undefined): Promise<GroupedArrays>
  close(): void
}

export interface GroupedArrays {
  readonly places: ReadonlyMap<string, WeightPlace>
  readonly groups: readonly SourceGroup[]
}

/** Each layer a group of its own, inner ones too, as in formats that do not put a whole model into one group. */
export function layerByLayer(places: ReadonlyMap<string, WeightPlace>): Map<string, WeightPlace> {
  return new Map([...places].map(([layer, place]) => [layer, { ...place, group: layer, frozen: false }]))
}
