import { setTimeout as delay } from 'node:timers/promises'

/** Waits for a time on the clock of performance.now(). False: the signal came first. */
export async function sleepUntil(time: number, signal: AbortSignal): Promise<boolean> {
  const ms = time - performance.now()
  if (signal.aborted) return false
  if (ms <= 0) return true
  try {
    await delay(ms, undefined, { signal })
    return true
  } catch {
    return false
  }
}
