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

/** An open file of any format. */
export interface ModelSource {
  readonly format: ModelFormat
  /** For messages. */
  readonly name: string
  /** The topology in the file; undefined when the file holds only weights. */
  readonly topology?: Topology
  /** The file's own names of its layers. */
  readonly groupNames: readonly string[]
  /** The file's arrays, checked but not read, and the group of each layer of the topology. Absent for ONNX. */
  groups?(topology: Topology, kernels: Kernels | undefined): Promise<GroupedArrays>
  close(): void
}

export interface GroupedArrays {
  readonly places: ReadonlyMap<string, WeightPlace>
  readonly groups: readonly SourceGroup[]
}

/** Places for formats with one group for each layer: inner models have no group of their own. */
export function layerByLayer(places: ReadonlyMap<string, WeightPlace>): Map<string, WeightPlace> {
  return new Map([...places].map(([layer, place]) => [layer, { ...place, group: layer, frozen: false }]))
}
