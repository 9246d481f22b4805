import type { LayerList } from '../../models/networks/layer-list.ts'

/** A layer list, and the place of each layer's weights in the file. */
export interface Topology {
  readonly list: LayerList
  readonly places: ReadonlyMap<string, WeightPlace>
}

export interface WeightPlace {
  /** The layer's group in an .h5 file: the layer itself, or the outermost inner model that has the layer. */
  readonly group: string
  /** The layer's name within its own model. */
  readonly ownName: string
  /** The path of the layer's group in a .weights.h5 file, where groups are numbered by class. */
  readonly path: string
  /** Not trainable: in an inner model's group, the arrays of frozen layers come last. */
  readonly frozen: boolean
}
