import type { WeightStore } from '../../graph/weight-store.ts'
import { loadError, quote } from '../source/model-file-error.ts'
import type { Bound } from './bind-weights.ts'

/** A store that reads from an open file, which it closes at the end. */
export function weightStoreOf(file: string, bound: Bound, close: () => void): WeightStore {
  let open = true
  return {
    arrays: (layer) => bound.get(layer) ?? [],
    async read(layer, index) {
      if (!open) throw loadError(`${file} has been closed.`)
      const array = bound.get(layer)?.[index]
      if (!array) throw loadError(`Layer ${quote(layer)} has no array ${index} in ${file}.`)
      return array.read()
    },
    async close() {
      if (!open) return
      open = false
      close()
    },
  }
}
