import type { LayerList } from '../../models/networks/layer-list.ts'

/** A layer list, and how the file's groups of weights belong to it. */
export interface Topology {
  readonly list: LayerList
  readonly places: ReadonlyMap<string, WeightPlace>
}

export interface WeightPlace {
  /** The layer of the outermost model that the layer belongs to: its group in an .h5 file. */
  readonly group: string
  /** The layer's name within its own model. */
  readonly ownName: string
  /** The layer's group in a .weights.h5 file, where groups are numbered by class. */
  readonly path: string
  /** Frozen layers have no weights to train, which moves them back in the order of an inner model's weights. */
  readonly frozen: boolean
}
