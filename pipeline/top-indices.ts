/** The indices of the `count` largest values, the largest first; a tie goes to the lower index. */
export function topIndices(values: Float32Array, count: number): number[] {
  const best: number[] = []
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? 0
    // The list is short: insertion is cheaper than sorting a thousand values.
    let place = best.length
    while (place > 0 && value > (values[best[place - 1] ?? 0] ?? 0)) place--
    if (place >= count) continue
    best.splice(place, 0, index)
    if (best.length > count) best.pop()
  }
  return best
}
