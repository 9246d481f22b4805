import { setTimeout as delay } from 'node:timers/promises'
import { coded } from './coded.ts'

/** About as long as a small batch takes. */
const PAUSE_MS = 50

/** Repeats a call while the queue is full, because of other callers. Gives up after `withinMs`, with the last error. */
export async function untilRoom<Value>(
  call: () => Promise<Value>,
  withinMs: number,
  signal: AbortSignal,
): Promise<Value> {
  const end = performance.now() + withinMs
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (coded(error).code !== 'ERR_QUEUE_FULL' || performance.now() > end) throw error
      await delay(PAUSE_MS, undefined, { signal })
    }
  }
}
