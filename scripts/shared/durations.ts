import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'

/** Milliseconds. */
export interface Latency {
  readonly p50: number
  readonly p90: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}

const MICROSECONDS = 1000
/** An hour, the longest --timeout. */
const LONGEST_US = 3600 * 1e6
/** Significant figures: 1.234 s and 1.235 s are told apart. */
const FIGURES = 3

/** Durations in a histogram, which takes the same memory for ten and for ten million of them. */
export class Durations {
  readonly #histogram: RecordableHistogram = createHistogram({
    lowest: 1,
    highest: LONGEST_US,
    figures: FIGURES,
  })

  add(ms: number): void {
    this.#histogram.record(Math.min(LONGEST_US, Math.max(1, Math.round(ms * MICROSECONDS))))
  }

  get count(): number {
    return this.#histogram.count
  }

  /** undefined where there are none */
  latency(): Latency | undefined {
    if (this.#histogram.count === 0) return undefined
    const at = (percent: number) => this.#histogram.percentile(percent) / MICROSECONDS
    return { p50: at(50), p90: at(90), p95: at(95), p99: at(99), max: this.#histogram.max / MICROSECONDS }
  }

  clear(): void {
    this.#histogram.reset()
  }
}
