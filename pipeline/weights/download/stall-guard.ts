/**
 * A signal that is aborted when nobody has called `beat` for so long, or when one of the other signals is. Its reason
 * says which.
 */
export function stallGuard(stallMs: number, others: readonly AbortSignal[]) {
  const stalled = new AbortController()
  const timer = setTimeout(() => {
    stalled.abort(new Error(`no byte came for ${stallMs / 1000} s`))
  }, stallMs)
  return {
    signal: AbortSignal.any([stalled.signal, ...others]),
    beat: () => void timer.refresh(),
    stop: () => clearTimeout(timer),
  }
}
