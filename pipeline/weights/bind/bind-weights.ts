import { shapeText } from '../../graph/layer-config.ts'
import type { LayerList } from '../../models/networks/layer-list.ts'
import { listNames, loadError, quote } from '../source/model-file-error.ts'
import type { SourceArray, SourceGroup } from '../source/source-array.ts'
import type { WeightPlace } from '../source/topology.ts'
import { arrayRole } from './array-role.ts'
import { pairGroups } from './pair-groups.ts'
import { type Slot, type WantedGroup, wantedGroups } from './wanted-groups.ts'

/** The arrays of each layer, in Keras' order. */
export type Bound = ReadonlyMap<string, readonly SourceArray[]>

/**
 * Finds each layer's arrays among the groups of a file. Every needed array must be there in the right shape, and no
 * array may be left over: an array that does not fit is an error, never used for another layer.
 */
export function bindWeights(
  file: string,
  list: LayerList,
  places: ReadonlyMap<string, WeightPlace>,
  groups: readonly SourceGroup[],
): Bound {
  const bound = new Map<string, SourceArray[]>()
  for (const { wanted, group } of pairGroups(file, wantedGroups(list, places), groups)) {
    for (const [i, array] of matchArrays(file, wanted, group).entries()) {
      const slot = wanted.slots[i]
      if (!slot) continue
      mustFit(file, slot, array)
      const arrays = bound.get(slot.layer) ?? []
      arrays[slot.index] = array
      bound.set(slot.layer, arrays)
    }
  }
  return bound
}

/** The arrays of a group in the order of the slots: matched by name if possible, otherwise in the order of the file. */
function matchArrays(
  file: string,
  { name, slots }: WantedGroup,
  { arrays: all }: SourceGroup,
): readonly SourceArray[] {
  // The estimate of SpectralNormalization matters in training only.
  const arrays = all.length > slots.length ? all.filter(({ name }) => !ESTIMATE.test(name)) : all
  const [needed, found] = [slots.map(({ role }) => role), arrays.map((array) => array.name)]
  if (slots.length !== arrays.length) {
    throw loadError(
      `In ${file}, layer ${quote(name)} has ${arrays.length} arrays (${listNames(found)}); it needs ${slots.length} (${listNames(needed)}).`,
    )
  }
  const named = byNames(slots, arrays)
  if (named) return named
  for (const [i, { role }] of slots.entries()) {
    const other = arrayRole(found[i] ?? '')
    if (other === role.split('/').at(-1)) continue
    // Keras 3 calls a depthwise kernel a kernel.
    if (other === undefined || other === role || role === `depthwise_${other}`) continue
    throw loadError(
      `In ${file}, array ${quote(found[i])} stands where the ${role} of layer ${quote(name)} should be.`,
    )
  }
  return arrays
}

const ESTIMATE = /(^|\/)(vector_u|sn_u)(:0)?$/

/** Undefined unless every slot has exactly one array of its role. */
function byNames(slots: readonly Slot[], arrays: readonly SourceArray[]): SourceArray[] | undefined {
  const several = new Set(slots.map(({ layer }) => layer)).size > 1
  const found = slots.map(({ role, ownName }) => {
    // query/kernel: the kernel of a layer inside the layer.
    const [last = '', ...parts] = role.split('/').reverse()
    const wanted = several ? [...parts, ownName] : parts
    const candidates = arrays.filter(({ name }) => {
      const above = name.split('/').reverse().slice(1)
      return arrayRole(name) === last && wanted.every((part, i) => above[i] === part)
    })
    return candidates.length === 1 ? candidates[0] : undefined
  })
  const all = found.filter((array) => array !== undefined)
  return new Set(all).size === slots.length ? all : undefined
}

function mustFit(file: string, { layer, role, shape }: Slot, array: SourceArray): void {
  if (array.shape.length === shape.length && shape.every((size, i) => size === array.shape[i])) return
  throw loadError(
    `In ${file}, the ${role} of layer ${quote(layer)} must have the shape ${shapeText(shape)}; ` +
      `${quote(array.name)} has ${shapeText(array.shape.slice(0, 8))}.`,
  )
}
