import type { ExpectedArray } from '../../pipeline/graph/kind.ts'
import { expectedArrays } from '../../pipeline/graph/shapes.ts'
import type { LayerList } from '../../pipeline/models/networks/layer-list.ts'
import type { SyntheticArray, SyntheticLayer } from './synthetic.ts'

/** The arrays of a network without golden data, to be filled by the same formula. */
export function formulaLayers(list: LayerList): SyntheticLayer[] {
  const classes = new Map(list.layers.map(({ name, className }) => [name, className]))
  const groups = new Map<string, SyntheticLayer>()
  let t = 0
  for (const [name, arrays] of expectedArrays(list)) {
    if (arrays.length === 0) continue
    // The arrays of inner models, whose layers are named `outer/inner`, are together in the group `outer`.
    const [outer = name, inner] = name.split('/')
    const group = groups.get(outer) ?? { layer: outer, class: classes.get(name) ?? '', arrays: [] }
    groups.set(outer, group)
    const scale = LAST_OF_RESIDUAL.test(name) ? RESIDUAL_SCALE : 1
    for (const array of arrays) group.arrays.push(formulaArray(array, { t: t++, inner, scale }))
  }
  return [...groups.values()]
}

interface Place {
  readonly t: number
  readonly inner: string | undefined
  readonly scale: number
}

function formulaArray({ role, shape }: ExpectedArray, { t, inner, scale }: Place): SyntheticArray {
  const kind = KINDS[role] ?? (role as SyntheticArray['kind'])
  const name = inner === undefined ? role : `${inner}/${role}`
  const [first = 1, second = 1, third = 1] = shape
  const inputs = role === 'depthwise_kernel' ? 1 : third
  const fanIn = shape.length === 4 ? first * second * inputs : first
  return { t, name, kind, shape: [...shape], ...(kind === 'kernel' && { fanIn, scale }) }
}

/** What a block adds must be smaller than what it takes: sums of many blocks would grow, and so would rounding errors. */
const LAST_OF_RESIDUAL = /_(project_conv|project|conv_3|conv_1x1_2|pointwise_conv_2)$/
const RESIDUAL_SCALE = 0.25

const KINDS: Readonly<Record<string, SyntheticArray['kind']>> = {
  depthwise_kernel: 'kernel',
  pointwise_kernel: 'kernel',
  moving_mean: 'mean',
  moving_variance: 'variance',
  mean: 'inputMean',
  variance: 'inputVariance',
}
