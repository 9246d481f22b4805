import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import type { RequestTotals } from './metrics.ts'
import { SampleRing } from './sample-ring.ts'

export const SERVICE_COLUMNS = [
  'requests',
  'succeeded',
  'refused',
  'failed',
  'memory',
  'eventLoopDelay',
] as const
export type ServiceColumn = (typeof SERVICE_COLUMNS)[number]

/** The interval of the histogram's timer. The histogram records whole intervals; the delay is the part above this. */
const RESOLUTION_MS = 20
const NANOSECONDS_PER_MS = 1e6

/** The figures of the web process, sample by sample. */
export class ServiceMeter {
  readonly ring = new SampleRing<ServiceColumn>(SERVICE_COLUMNS)
  readonly #totals: RequestTotals
  readonly #delays: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  // Totals at the last sample.
  #before: RequestTotals

  constructor(totals: RequestTotals) {
    this.#totals = totals
    this.#before = { ...totals }
    this.#delays.enable()
  }

  sample(elapsedMs: number): void {
    const { succeeded, refused, failed } = this.#totals
    const before = this.#before
    const perSecond = (count: number) => count / (elapsedMs / 1000)
    this.ring.add({
      requests: perSecond(succeeded + refused + failed - before.succeeded - before.refused - before.failed),
      succeeded: perSecond(succeeded - before.succeeded),
      refused: perSecond(refused - before.refused),
      failed: perSecond(failed - before.failed),
      memory: process.memoryUsage.rss(),
      eventLoopDelay: this.#takeDelay(),
    })
    this.#before = { ...this.#totals }
  }

  close(): void {
    this.#delays.disable()
  }

  /** The p99 in milliseconds; NaN if the event loop was blocked for so long that nothing has been recorded. */
  #takeDelay(): number {
    const delays = this.#delays
    const interval = delays.count === 0 ? Number.NaN : delays.percentile(99) / NANOSECONDS_PER_MS
    delays.reset()
    return Math.max(0, interval - RESOLUTION_MS)
  }
}
