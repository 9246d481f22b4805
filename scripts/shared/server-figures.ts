import { Client } from 'undici'
import { readMetrics, type Sample } from './metrics-text.ts'

/** What /metrics told at one time, summed over the models, or of the one that is asked for. */
export interface ServerFigures {
  /** calls that wait, and calls that a child has */
  readonly queued: number
  readonly inFlight: number
  /** Of the event loop, in milliseconds, since the figures before. */
  readonly delay: { readonly p50: number; readonly p99: number; readonly max: number }
  /** Since the start of the server: batches, the calls in them, and batches by their largest size. */
  readonly batches: {
    readonly count: number
    readonly calls: number
    readonly upTo: ReadonlyMap<number, number>
  }
  /** Since the start of the server. */
  readonly restarts: number
  readonly cached: number
  readonly residentBytes: number
  /** sockets, pipes, processes and the like that keep the event loop alive */
  readonly handles: number
  readonly cpuSeconds: number
}

const TIMEOUT_MS = 5000
const MAX_BYTES = 4 * 2 ** 20

/** Reads /metrics over a connection of its own, which no request of the test can hold up. */
export class ServerMeter {
  readonly #client: Client
  readonly #headers: Readonly<Record<string, string>>
  readonly #model: string | undefined
  #isReading = false

  constructor(url: URL, key: string | undefined, model: string | undefined) {
    this.#client = new Client(url.origin, {
      connect: { timeout: TIMEOUT_MS },
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      maxResponseSize: MAX_BYTES,
    })
    this.#headers = key === undefined ? {} : { authorization: `Bearer ${key}` }
    this.#model = model
  }

  /** undefined where the server does not tell, or is still busy with the question before. Never rejects. */
  async read(): Promise<ServerFigures | undefined> {
    if (this.#isReading) return undefined
    this.#isReading = true
    try {
      const answer = await this.#client.request({ method: 'GET', path: '/metrics', headers: this.#headers })
      const text = await answer.body.text()
      return answer.statusCode === 200 ? figuresIn(readMetrics(text), this.#model) : undefined
    } catch {
      return undefined
    } finally {
      this.#isReading = false
    }
  }

  async close(): Promise<void> {
    await this.#client.destroy()
  }
}

/** undefined for the metrics of something that is no Tandem */
export function figuresIn(samples: readonly Sample[], model: string | undefined): ServerFigures | undefined {
  const ofModel = samples.filter(
    ({ labels }) => model === undefined || labels.model === undefined || labels.model === model,
  )
  const total = (name: string, labels: Readonly<Record<string, string>> = {}) =>
    ofModel
      .filter((sample) => sample.name === name && hasLabels(sample, labels))
      .reduce((sum, { value }) => sum + value, 0)
  if (!samples.some(({ name }) => name === 'tandem_event_loop_delay_seconds')) return undefined
  const delay = (quantile: string) => total('tandem_event_loop_delay_seconds', { quantile }) * 1000
  return {
    queued: total('tandem_queue_calls'),
    inFlight: total('tandem_in_flight'),
    delay: { p50: delay('0.5'), p99: delay('0.99'), max: delay('1') },
    batches: {
      count: total('tandem_batch_size_count'),
      calls: total('tandem_batch_size_sum'),
      upTo: bucketsOf(ofModel.filter(({ name }) => name === 'tandem_batch_size_bucket')),
    },
    restarts: total('tandem_child_restarts_total'),
    cached:
      total('tandem_cache_total', { outcome: 'hit' }) + total('tandem_cache_total', { outcome: 'shared' }),
    residentBytes: total('process_resident_memory_bytes'),
    handles: total('nodejs_active_handles_total'),
    cpuSeconds: total('process_cpu_seconds_total'),
  }
}

function hasLabels(sample: Sample, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(labels).every(([name, value]) => sample.labels[name] === value)
}

/** Prometheus counts in each bucket what is in the smaller ones, too. */
function bucketsOf(samples: readonly Sample[]): Map<number, number> {
  const upTo = new Map<number, number>()
  for (const { labels, value } of samples) {
    const size = labels.le === '+Inf' ? Infinity : Number(labels.le)
    upTo.set(size, (upTo.get(size) ?? 0) + value)
  }
  const sorted = [...upTo].sort(([a], [b]) => a - b)
  return new Map(sorted.map(([size, count], i) => [size, count - (sorted[i - 1]?.[1] ?? 0)]))
}
