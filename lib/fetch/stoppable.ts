/**
 * A promise that a signal can reject at any moment, with the signal's reason. `start` begins the work and returns its
 * cleanup, which runs exactly once however the work ends. `kept` is true when the promise was resolved: then the
 * cleanup must leave the value (such as a socket) alone.
 */
export function stoppable<T>(
  signal: AbortSignal,
  start: (resolve: (value: T) => void, reject: (reason: unknown) => void) => (kept: boolean) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    let outcome: 'kept' | 'failed' | undefined
    let leave: ((kept: boolean) => void) | undefined
    const settle = (how: 'kept' | 'failed', finish: () => void) => {
      if (outcome !== undefined) return
      outcome = how
      signal.removeEventListener('abort', onAbort)
      finish()
      leave?.(how === 'kept')
    }
    const onAbort = () => settle('failed', () => reject(signal.reason))
    signal.addEventListener('abort', onAbort)
    leave = start(
      (value) => settle('kept', () => resolve(value)),
      (reason) => settle('failed', () => reject(reason)),
    )
    if (outcome !== undefined) leave(outcome === 'kept')
  })
}
