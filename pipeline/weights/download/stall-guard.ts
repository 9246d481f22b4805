/**
 * A signal that is aborted when `beat` has not been called for `stallMs`, or when one of the other signals is aborted.
 * The reason of the signal says which.
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
