import { CONSTANT, operationClass } from '../models/networks/layer-list.ts'
import { elements } from './axes.ts'
import type { Kind } from './kind.ts'
import { kind } from './kind.ts'
import { layerError } from './layer-config.ts'
import { ACTIVATION_LAYERS } from './layers/activation.ts'
import { CONVOLUTIONS } from './layers/convolution.ts'
import { DENSE_LAYERS } from './layers/dense.ts'
import { IMAGE_OPERATIONS } from './layers/image-operations.ts'
import { INDEXING } from './layers/indexing.ts'
import { MERGES } from './layers/merge.ts'
import { NORMALIZATIONS } from './layers/normalization.ts'
import { OPERATIONS } from './layers/operations.ts'
import { PADDINGS } from './layers/padding.ts'
import { PICKS } from './layers/picking.ts'
import { POOLINGS } from './layers/pooling.ts'
import { PRODUCTS } from './layers/products.ts'
import { REDUCTIONS } from './layers/reductions.ts'
import { RESHAPINGS } from './layers/reshaping.ts'
import { RESIZING_LAYERS } from './layers/resizing.ts'
import { SHAPE_LAYERS } from './layers/shape.ts'
import { TRAINING_ONLY_LAYERS } from './layers/training-only.ts'
import { TRANSPOSE_CONVOLUTIONS } from './layers/transpose-convolution.ts'
import { WRAPPERS } from './layers/wrapper.ts'
import { numbers, wholes } from './options.ts'
import { plainValue } from './value.ts'

const constantKind = kind(
  { value: numbers(), shape: wholes(1) },
  ({ value, shape }, _, layer) => {
    const list = Array.isArray(value) ? value : [value]
    if (list.length !== elements(shape))
      throw layerError(layer, `it has ${list.length} numbers for its shape`)
    return {
      shape,
      unbatched: true,
      emit: ({ graph }) => plainValue(shape, graph.floats(list, shape), { unbatched: true, constant: list }),
    }
  },
  { inputs: [0, 0] },
)

export const LAYER_KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ...ACTIVATION_LAYERS,
  ...CONVOLUTIONS,
  ...DENSE_LAYERS,
  ...MERGES,
  ...NORMALIZATIONS,
  ...POOLINGS,
  ...RESIZING_LAYERS,
  ...SHAPE_LAYERS,
  ...TRAINING_ONLY_LAYERS,
  ...TRANSPOSE_CONVOLUTIONS,
  ...WRAPPERS,
])

export const OPERATION_KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ...IMAGE_OPERATIONS,
  ...INDEXING,
  ...OPERATIONS,
  ...PADDINGS,
  ...PICKS,
  ...PRODUCTS,
  ...REDUCTIONS,
  ...RESHAPINGS,
])

/** Every class, by its name in a layer list. */
const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ...LAYER_KINDS,
  ...[...OPERATION_KINDS].map(([name, kind]) => [operationClass(name), kind] as const),
  [CONSTANT, constantKind],
])

export const kindOf = (className: string): Kind | undefined => KINDS.get(className)
