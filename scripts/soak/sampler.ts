import { type ServerFigures, ServerMeter } from '../shared/server-figures.ts'
import { type ProcessFigures, processFigures } from './process-figures.ts'
import type { ServiceProcess } from './service-process.ts'
import type { Counts, Tally } from './tally.ts'

export interface ChildSample extends ProcessFigures {
  readonly pid: number
  readonly model: string
  /** seconds since the start of the child */
  readonly age: number
}

/** What was measured at one time. */
export interface Sample {
  /** seconds since the begin of the test */
  readonly at: number
  readonly web: ProcessFigures | undefined
  readonly children: readonly ChildSample[]
  readonly server: ServerFigures | undefined
  readonly open: number
  /** since the begin of the test */
  readonly counts: Counts
}

const EVERY_MS = 1000

/** Measures the service and its processes once per second. */
export class Sampler {
  readonly samples: Sample[] = []
  readonly #service: ServiceProcess
  readonly #tally: Tally
  readonly #meter: ServerMeter
  readonly #begin = performance.now()
  readonly #timer: NodeJS.Timeout
  readonly #onSample: (sample: Sample) => void
  #current: Promise<void> | undefined

  constructor(service: ServiceProcess, url: URL, tally: Tally, onSample: (sample: Sample) => void) {
    this.#service = service
    this.#tally = tally
    this.#meter = new ServerMeter(url, undefined, undefined)
    this.#onSample = onSample
    this.#timer = setInterval(() => {
      this.#current ??= this.#sample().finally(() => {
        this.#current = undefined
      })
    }, EVERY_MS)
  }

  /** Takes no more samples, after the current one. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#current
    await this.#meter.close()
  }

  async #sample(): Promise<void> {
    const now = performance.now()
    const [web, server, ...children] = await Promise.all([
      processFigures(this.#service.pid),
      this.#meter.read(),
      ...this.#service.children.map(async ({ pid, model, startedAt }) => {
        const figures = await processFigures(pid)
        return figures && { pid, model, age: (now - startedAt) / 1000, ...figures }
      }),
    ])
    const sample = {
      at: (now - this.#begin) / 1000,
      web,
      server,
      children: children.filter((child) => child !== undefined),
      open: this.#tally.open,
      counts: this.#tally.all,
    }
    this.samples.push(sample)
    this.#onSample(sample)
  }
}
