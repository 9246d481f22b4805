import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Calls } from '../../broker/broker.ts'
import type { ModelHost } from '../../fleet/fleet.ts'
import { gaugeFleet, gaugeModelHost } from './fleet-metrics.ts'

export interface Metrics {
  readonly registry: Registry
  /** the request counts of the registry, for the samples of every second */
  readonly totals: RequestTotals
  cacheHits(model: string): number
  countRequest(labels: { method: string; route: string; status: number }, seconds: number): void
  /** Counts where an answer came from: kept (hit), computed for a simultaneous request (shared), or computed (miss). */
  countCached(model: string, outcome: 'hit' | 'shared' | 'miss'): void
}

/** Requests by outcome. Requests for /status are not counted, so that the page does not change its own figures. */
export interface RequestTotals {
  /** below 400 */
  succeeded: number
  /** 4xx */
  refused: number
  /** 5xx */
  failed: number
}

type Brokers = ReadonlyMap<string, Calls>

/** From an answer without a model to a call that reaches its deadline. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
const SAMPLE_EVERY_MS = 10
const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128]
const STAGES = ['queue', 'prepare', 'predict', 'total'] as const

/** Every label has few possible values. No path and no input becomes a label, or a client could fill the memory. */
export function createMetrics(brokers: Brokers, modelHost?: ModelHost): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  gaugeEventLoop(registry)
  watchCalls(brokers, registry)
  gaugeBrokers(brokers, registry)
  gaugeFleet(brokers, registry)
  if (modelHost) gaugeModelHost(modelHost, registry)
  const totals: RequestTotals = { succeeded: 0, refused: 0, failed: 0 }
  const hits = new Map<string, number>()
  return {
    registry,
    totals,
    countRequest: requestCounter(registry, totals),
    countCached: cacheCounter(registry, hits),
    cacheHits: (model) => hits.get(model) ?? 0,
  }
}

/**
 * The delay of the event loop, which the web process promises to keep short. Node's histogram, like the default
 * metrics, records whole intervals of a timer; the delay is the part above the interval. Each scrape starts from zero.
 */
function gaugeEventLoop(registry: Registry): void {
  const delays = monitorEventLoopDelay({ resolution: SAMPLE_EVERY_MS })
  delays.enable()
  new Gauge({
    name: 'tandem_event_loop_delay_seconds',
    help: 'Delay of the event loop since the last scrape',
    labelNames: ['quantile'],
    registers: [registry],
    collect() {
      for (const quantile of [0.5, 0.99, 1]) {
        const interval = quantile === 1 ? delays.max : delays.percentile(quantile * 100)
        this.set({ quantile: String(quantile) }, Math.max(0, interval / 1e9 - SAMPLE_EVERY_MS / 1e3))
      }
      delays.reset()
    },
  })
}

function watchCalls(brokers: Brokers, registry: Registry): void {
  const registers = [registry]
  const calls = new Counter({
    name: 'tandem_calls_total',
    help: 'Calls by outcome',
    labelNames: ['model', 'outcome'],
    registers,
  })
  const seconds = new Histogram({
    name: 'tandem_call_seconds',
    help: 'Duration of answered calls by stage',
    labelNames: ['model', 'stage'],
    buckets: SECONDS,
    registers,
  })
  const batches = new Histogram({
    name: 'tandem_batch_size',
    help: 'Calls per batch',
    labelNames: ['model'],
    buckets: BATCH_SIZES,
    registers,
  })
  for (const [model, broker] of brokers) {
    broker.on('call', ({ outcome, timing }) => {
      calls.inc({ model, outcome })
      if (outcome !== 'result') return
      for (const stage of STAGES) seconds.observe({ model, stage }, timing[stage] / 1000)
    })
    broker.on('batch', ({ size }) => batches.observe({ model }, size))
  }
}

/** Read from the brokers at each scrape, so that no second copy can differ. */
function gaugeBrokers(brokers: Brokers, registry: Registry): void {
  const gauge = (name: string, help: string, read: (broker: Calls) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ['model'],
      registers: [registry],
      collect() {
        for (const [model, broker] of brokers) this.set({ model }, read(broker))
      },
    })
  gauge('tandem_queue_calls', 'Calls waiting in the queue', (broker) => broker.stats().queued)
  gauge('tandem_queue_bytes', 'Bytes waiting in the queue', (broker) => broker.stats().queuedBytes)
  gauge('tandem_in_flight', 'Calls that a child process is computing', (broker) => broker.stats().inFlight)
  gauge('tandem_model_ready', '1 if the model is ready, else 0', (broker) =>
    Number(broker.stats().state === 'ready'),
  )
  gauge(
    'tandem_spare_children',
    'Child processes that are ready to take the place of one that dies',
    (broker) => broker.stats().spares.filter(({ state }) => state === 'ready').length,
  )
  countRestarts(brokers, registry)
}

function countRestarts(brokers: Brokers, registry: Registry): void {
  const restarts = new Counter({
    name: 'tandem_child_restarts_total',
    help: 'Child processes started to replace a dead one',
    labelNames: ['model'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [model, broker] of brokers) this.inc({ model }, broker.stats().restarts)
    },
  })
  for (const model of brokers.keys()) restarts.inc({ model }, 0)
}

function requestCounter(registry: Registry, totals: RequestTotals): Metrics['countRequest'] {
  const labelNames = ['method', 'route', 'status'] as const
  const registers = [registry]
  const requests = new Counter({
    name: 'tandem_http_requests_total',
    help: 'HTTP requests by method, route and status',
    labelNames,
    registers,
  })
  const seconds = new Histogram({
    name: 'tandem_http_request_seconds',
    help: 'Duration from the request line to the last byte of the answer',
    labelNames,
    buckets: SECONDS,
    registers,
  })
  return (labels, duration) => {
    requests.inc(labels)
    seconds.observe(labels, duration)
    if (labels.route !== '/status') totals[outcomeOf(labels.status)]++
  }
}

function outcomeOf(status: number): keyof RequestTotals {
  if (status < 400) return 'succeeded'
  return status < 500 ? 'refused' : 'failed'
}

function cacheCounter(registry: Registry, hits: Map<string, number>): Metrics['countCached'] {
  const answers = new Counter({
    name: 'tandem_cache_total',
    help: 'Answers by origin: hit (kept), shared (computed for a simultaneous request) or miss (computed)',
    labelNames: ['model', 'outcome'],
    registers: [registry],
  })
  return (model, outcome) => {
    answers.inc({ model, outcome })
    if (outcome === 'hit') hits.set(model, (hits.get(model) ?? 0) + 1)
  }
}
