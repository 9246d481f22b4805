import type { Calls } from '../../broker/broker.ts'
import type { Metrics } from './metrics.ts'
import { MODEL_COLUMNS, type ModelColumn, ModelMeter } from './model-meter.ts'
import { SAMPLES } from './sample-ring.ts'
import { SERVICE_COLUMNS, type ServiceColumn, ServiceMeter } from './service-meter.ts'

/** Milliseconds between two samples. */
export const INTERVAL_MS = 1000
/** The least time between two samples, so that no rate is divided by 0. */
const LEAST_ELAPSED_MS = 1

type Columns<Column extends string> = Record<Column, (number | null)[]>

/** Samples column by column; null if there was nothing to measure. */
export interface SampleColumns extends Columns<ServiceColumn> {
  /** when each sample was taken, in milliseconds since 1970 */
  t: number[]
  models: Record<string, Columns<ModelColumn>>
}

/**
 * The figures of the last 15 minutes, one sample per second. A late sample stays one sample, and its rates are means
 * over the real time since the last one; no samples are invented for that time. About 100 KB per model at any load.
 */
export class StatusHistory {
  readonly startedAt = Date.now()
  readonly #service: ServiceMeter
  readonly #models: ReadonlyMap<string, ModelMeter>
  readonly #times = new Float64Array(SAMPLES)
  readonly #timer: NodeJS.Timeout
  #written = 0
  // On the monotonic clock, which a change of the system time does not affect.
  #sampledAt = performance.now()

  constructor(brokers: ReadonlyMap<string, Calls>, { totals, cacheHits }: Metrics) {
    this.#service = new ServiceMeter(totals)
    this.#models = new Map(
      [...brokers].map(([name, broker]) => [name, new ModelMeter(broker, () => cacheHits(name))]),
    )
    // After all timers that are due: the one that measures the delay of the event loop may come later than this one.
    this.#timer = setInterval(() => setImmediate(() => this.sample()), INTERVAL_MS).unref()
  }

  /** Called by the timer. */
  sample(): void {
    const now = performance.now()
    const elapsed = Math.max(LEAST_ELAPSED_MS, now - this.#sampledAt)
    this.#sampledAt = now
    this.#service.sample(elapsed)
    for (const meter of this.#models.values()) meter.sample(now, elapsed)
    this.#times[this.#written % SAMPLES] = Math.max(Date.now(), this.#newest() + 1)
    this.#written++
  }

  /** The samples that were taken after `since`. */
  samples(since = 0): SampleColumns {
    const t = this.#timesAfter(since)
    const columnsOf = <Column extends string>(
      { ring }: { ring: { newest(column: Column, count: number): number[] } },
      columns: readonly Column[],
    ) => Object.fromEntries(columns.map((column) => [column, ring.newest(column, t.length).map(shown)]))
    const models = [...this.#models].map(([name, meter]) => [name, columnsOf(meter, MODEL_COLUMNS)])
    // The keys are the names of the columns; fromEntries loses these types.
    return {
      t,
      ...(columnsOf(this.#service, SERVICE_COLUMNS) as Columns<ServiceColumn>),
      models: Object.fromEntries(models) as SampleColumns['models'],
    }
  }

  close(): void {
    clearInterval(this.#timer)
    this.#service.close()
  }

  #newest(): number {
    return this.#written === 0 ? 0 : (this.#times[(this.#written - 1) % SAMPLES] ?? 0)
  }

  #timesAfter(since: number): number[] {
    const length = Math.min(this.#written, SAMPLES)
    const first = this.#written - length
    const times = Array.from({ length }, (_, i) => this.#times[(first + i) % SAMPLES] ?? 0)
    return times.filter((time) => time > since)
  }
}

/** A chart shows three digits. Large figures (bytes) keep four, and whole numbers below a million stay exact. */
function shown(figure: number): number | null {
  if (Number.isNaN(figure)) return null
  if (figure < 1e6 && Number.isInteger(figure)) return figure
  return Number(figure.toPrecision(figure < 1e6 ? 3 : 4))
}
