import type { Calls } from '../../broker/broker.ts'
import { BusyTime } from './busy-time.ts'
import { ChildMemory } from './child-memory.ts'
import { LATENCY_COLUMNS, LatencyReservoir } from './latency-reservoir.ts'
import { SampleRing } from './sample-ring.ts'

const COUNTS = ['calls', 'failures', 'cacheHits', 'batches', 'batchSize', 'restarts'] as const
const LEVELS = ['queued', 'queuedBytes', 'inFlight', 'busy', 'memory'] as const
export const MODEL_COLUMNS = [...COUNTS, ...LEVELS, ...LATENCY_COLUMNS] as const
export type ModelColumn = (typeof MODEL_COLUMNS)[number]

/** The figures of one model, sample by sample, from the events and the stats of its broker. */
export class ModelMeter {
  readonly ring = new SampleRing<ModelColumn>(MODEL_COLUMNS)
  readonly #broker: Calls
  readonly #cacheHits: () => number
  readonly #latencies = new LatencyReservoir()
  readonly #busy = new BusyTime()
  readonly #memory = new ChildMemory()
  // Counts since the last sample.
  #calls = 0
  #failures = 0
  #batches = 0
  #batched = 0
  // Totals at the last sample.
  #restarts: number
  #hits: number

  constructor(broker: Calls, cacheHits: () => number) {
    this.#broker = broker
    this.#cacheHits = cacheHits
    this.#restarts = broker.stats().restarts
    this.#hits = cacheHits()
    broker.on('call', ({ outcome, timing }) => {
      // Every call carries the time of its whole batch.
      if (timing.batch > 0) this.#busy.add(timing.predict / timing.batch)
      if (outcome !== 'result') {
        this.#failures++
        return
      }
      this.#calls++
      this.#latencies.add(timing)
    })
    broker.on('batch', ({ size }) => {
      this.#batches++
      this.#batched += size
    })
  }

  sample(now: number, elapsedMs: number): void {
    const { queued, queuedBytes, inFlight, restarts, workers, spares } = this.#broker.stats()
    const seconds = elapsedMs / 1000
    const pids = [...workers, ...spares].flatMap(({ pid }) => (pid === undefined ? [] : [pid]))
    const holding = workers.filter((worker) => worker.inFlight > 0).length
    const hits = this.#cacheHits()
    this.ring.add({
      ...this.#latencies.take(),
      calls: this.#calls / seconds,
      failures: this.#failures / seconds,
      cacheHits: (hits - this.#hits) / seconds,
      batches: this.#batches / seconds,
      batchSize: this.#batches > 0 ? this.#batched / this.#batches : Number.NaN,
      restarts: restarts - this.#restarts,
      queued,
      queuedBytes,
      inFlight,
      busy: this.#busy.take(elapsedMs, holding, workers.length),
      memory: this.#memory.bytes(pids, now),
    })
    this.#calls = this.#failures = this.#batches = this.#batched = 0
    this.#restarts = restarts
    this.#hits = hits
  }
}
