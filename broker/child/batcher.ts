import { setImmediate as nextTurn } from 'node:timers/promises'
import { encodeError } from '../error-wire.ts'
import { BrokerError } from '../errors.ts'
import type { CallAnswer, CallMessage, ChildLimits } from '../messages.ts'
import type { BatchTime, Pipeline } from '../pipeline.ts'
import { batchSize, readTimes } from './batch-size.ts'
import type { PrepareClock } from './prepare-clock.ts'

interface Held {
  readonly key: string
  readonly method: string
  input: unknown
  prepareMs: number
  state: 'preparing' | 'prepared' | 'dropped'
}

type Method = (input: unknown) => unknown

/**
 * The child's half of the work: prepares all its calls at the same time, and predicts one batch after another. A batch
 * is made when the one before has ended, from what is prepared by then; it never waits for more.
 */
export class Batcher {
  readonly #pipeline: Pipeline
  readonly #methods: ReadonlySet<string>
  readonly #limits: Pick<ChildLimits, 'maxBatch' | 'maxBatchMs'>
  readonly #times: readonly BatchTime[]
  readonly #clock: PrepareClock
  readonly #answer: (answers: CallAnswer[]) => void
  // Calls whose batch has not started, in order of arrival. The parent bounds their number.
  readonly #held = new Map<string, Held>()
  // True while predict() or another method runs; methods never overlap.
  #running = false

  constructor(
    pipeline: Pipeline,
    limits: Pick<ChildLimits, 'maxBatch' | 'maxBatchMs'>,
    clock: PrepareClock,
    answer: (answers: CallAnswer[]) => void,
  ) {
    this.#pipeline = pipeline
    this.#limits = limits
    this.#times = readTimes(pipeline.batchTimes)
    this.#clock = clock
    this.#answer = answer
    this.#methods = new Set(pipeline.methods ?? ['predict'])
    for (const name of this.#methods) {
      if (typeof this.#method(name) === 'function') continue
      throw new BrokerError(
        'ERR_OPTION',
        `The pipeline declares the method "${name}", but has no such function.`,
      )
    }
  }

  get methods(): string[] {
    return [...this.#methods]
  }

  accept(calls: readonly CallMessage[]): void {
    for (const { key, method, args } of calls) {
      if (!this.#methods.has(method)) {
        const error = new BrokerError('ERR_UNKNOWN_METHOD', `The pipeline has no method "${method}".`)
        this.#answer([failure(key, error)])
        continue
      }
      const held: Held = { key, method, input: args[0], prepareMs: 0, state: 'preparing' }
      this.#held.set(key, held)
      if (method === 'predict' && this.#pipeline.prepare) void this.#prepare(held)
      else held.state = 'prepared'
    }
    void this.#run()
  }

  /**
   * The callers went away, so calls that have not started are dropped; the answer tells the parent that there is room.
   * A running preparation keeps its room until it ends, or callers that come and go could start any number of them.
   */
  cancel(keys: readonly string[]): void {
    for (const key of keys) {
      const held = this.#held.get(key)
      if (held?.state === 'prepared') this.#drop(held)
      else if (held) held.state = 'dropped'
    }
  }

  #drop({ key }: Held): void {
    this.#held.delete(key)
    this.#answer([failure(key, new BrokerError('ERR_ABORTED', 'The caller went away.'))])
  }

  async #prepare(held: Held): Promise<void> {
    const start = performance.now()
    const { key } = held
    this.#clock.start(key)
    try {
      held.input = await this.#pipeline.prepare?.(held.input, { started: () => this.#clock.restart(key) })
      if (held.state === 'dropped') return this.#drop(held)
      held.prepareMs = performance.now() - start
      held.state = 'prepared'
      void this.#run()
    } catch (error) {
      this.#held.delete(key)
      this.#answer([failure(key, error, performance.now() - start)])
    } finally {
      this.#clock.stop(key)
    }
  }

  async #run(): Promise<void> {
    if (this.#running) return
    this.#running = true
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) {
      await this.#predict(batch)
      if (this.#held.size === 0) break
      // A predict() that blocks the event loop also blocks the pipe. One turn of the loop between two batches sends the
      // answers and receives the next calls, which are then prepared (on other threads) during the next batch.
      await nextTurn()
    }
    this.#running = false
  }

  /** The prepared calls for the next batch, in order of arrival. A method other than predict runs alone. */
  #take(): Held[] {
    const waiting: Held[] = []
    for (const held of this.#held.values()) {
      if (held.state !== 'prepared') continue
      if (held.method !== 'predict' && waiting.length > 0) break
      waiting.push(held)
      if (held.method !== 'predict' || waiting.length === this.#limits.maxBatch) break
    }
    const batch = waiting.slice(0, batchSize(waiting.length, this.#times, this.#limits.maxBatchMs))
    for (const { key } of batch) this.#held.delete(key)
    return batch
  }

  /** When a batch fails, predicts each half again, down to the input at fault. */
  async #predict(batch: readonly Held[]): Promise<void> {
    const start = performance.now()
    const work = (held: Held) => ({
      prepare: held.prepareMs,
      predict: performance.now() - start,
      batch: batch.length,
    })
    try {
      const values = await this.#values(batch)
      this.#answer(
        batch.map((held, row): CallAnswer => {
          const value = values[row]
          if (value instanceof Error)
            return { kind: 'failure', key: held.key, error: encodeError(value), work: work(held) }
          return { kind: 'result', key: held.key, value, work: work(held) }
        }),
      )
    } catch (error) {
      const [first] = batch
      if (first && batch.length === 1) {
        this.#answer([{ kind: 'failure', key: first.key, error: encodeError(error), work: work(first) }])
        return
      }
      const half = batch.length >> 1
      await this.#predict(batch.slice(0, half))
      await this.#predict(batch.slice(half))
    }
  }

  async #values(batch: readonly Held[]): Promise<readonly unknown[]> {
    const inputs = batch.map((held) => held.input)
    const method = batch[0]?.method ?? 'predict'
    if (method !== 'predict') return [await this.#method(method)?.call(this.#pipeline, inputs[0])]
    const values: unknown = await this.#pipeline.predict?.(inputs)
    if (Array.isArray(values) && values.length === inputs.length) return values
    const came = Array.isArray(values) ? `${values.length} answers` : typeof values
    throw new BrokerError('ERR_PIPELINE', `predict() returned ${came} for ${inputs.length} inputs.`)
  }

  #method(name: string): Method | undefined {
    return (this.#pipeline as unknown as Record<string, Method | undefined>)[name]
  }
}

function failure(key: string, error: unknown, prepare = 0): CallAnswer {
  return { kind: 'failure', key, error: encodeError(error), work: { prepare, predict: 0, batch: 0 } }
}
