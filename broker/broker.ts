import { EventEmitter } from 'node:events'
import { nanoid } from 'nanoid'
import { byteSize } from './byte-size.ts'
import type { CallOptions, Calls } from './calls.ts'
import type { ChildView } from './child-view.ts'
import { ChildError, isPermanent } from './error-wire.ts'
import { BrokerError } from './errors.ts'
import type { CallAnswer } from './messages.ts'
import {
  type BrokerOptions,
  cloneable,
  type Limits,
  mustBeSignal,
  pipelineUrl,
  readDeadline,
  readLimits,
  readSpares,
  wholeNumber,
} from './options.ts'
import { type Call, type CallTiming, type Outcome, Pending, tell } from './pending.ts'
import type { ProgressReport } from './pipeline.ts'
import { Positions } from './positions.ts'
import { closed, refusalOf } from './refusal.ts'
import { Scheduler } from './scheduler.ts'
import { Spares } from './spares.ts'
import { type BrokerEvents, type BrokerState, type BrokerStats, errorSummary } from './state.ts'
import { type PromiseWithResolvers, withResolvers } from './with-resolvers.ts'
import { Worker } from './worker.ts'

export type { CallOptions, Calls } from './calls.ts'
export { BrokerError, type BrokerErrorCode } from './errors.ts'
export type { BrokerOptions, ReadyChild, SpareCount } from './options.ts'
export type { CallTiming, Outcome } from './pending.ts'
export type {
  BatchTime,
  MakePipeline,
  PermanentError,
  Pipeline,
  PipelineContext,
  PrepareContext,
  Progress,
  ProgressReport,
} from './pipeline.ts'
export type { BrokerEvents, BrokerState, BrokerStats, FleetStats, HostStats } from './state.ts'

/** Forwards calls to child processes that own a pipeline. Each call has a key, under which its promise waits. */
export class Broker extends EventEmitter<BrokerEvents> implements Calls {
  readonly #limits: Limits
  readonly #pending = new Pending((call, outcome, timing, error) => this.#ended(call, outcome, timing, error))
  readonly #scheduler: Scheduler
  readonly #positions = new Positions()
  readonly #workers: Worker[]
  readonly #spares: Spares
  #state: BrokerState = 'idle'
  // Set by the first close(); later calls of close() return the same promise.
  #closing: Promise<void> | undefined
  // Set while close() waits for accepted calls; called when nothing is pending.
  #drained: (() => void) | undefined
  // True while a dispatch is scheduled for the end of this tick, so that calls made in one tick are sent together.
  #dispatching = false
  #started: PromiseWithResolvers<void> | undefined
  #toldInfo: unknown
  #restarts = 0

  constructor(options: BrokerOptions) {
    super()
    this.#limits = readLimits(options)
    this.#scheduler = new Scheduler(this.#limits.maxBatch)
    const child = {
      ...this.#limits,
      name: options.name ?? 'pipeline',
      pipeline: pipelineUrl(options.pipeline),
      options: cloneable(options.options),
    }
    const hooks = {
      changed: () => this.#changed(),
      answered: (from: ChildView, answers: CallAnswer[]) => this.#answers(from, answers),
      lost: (from: ChildView, error: Error | undefined) => this.#lost(from, error),
      spare: () => this.#spares.take(),
      event: (...event: unknown[]) => this.#forward(event as never),
    }
    const { workers, maxDeaths } = this.#limits
    this.#workers = Array.from({ length: workers }, () => new Worker(child, maxDeaths, hooks))
    const serving = () => this.#workers.map(({ ready }) => ready)
    this.#spares = new Spares(child, readSpares(options.spares), { ...hooks, serving })
  }

  /**
   * Resolves when a child is ready. Rejects with the child's own error when the first child cannot start; even then the
   * broker goes on trying until close(): with growing delays, or after a permanent error when one of its files changes.
   */
  start(): Promise<void> {
    if (this.#closing) return Promise.reject(closed())
    if (this.#started) return this.#started.promise
    this.#started = withResolvers<void>()
    this.#setState('starting')
    for (const worker of this.#workers) worker.start()
    return this.#started.promise
  }

  call<Result = unknown>(method: string, input: unknown, options: CallOptions = {}): Promise<Result> {
    try {
      const calledAt = performance.now()
      const call: Call = {
        key: nanoid(),
        method,
        input,
        bytes: byteSize(input),
        calledAt,
        silent: options.silent ?? false,
        sentAt: 0,
        deaths: 0,
      }
      mustBeSignal(options.signal)
      const deadline = readDeadline(options.deadline ?? this.#limits.deadline)
      this.#admit(call, options.signal)
      const promise = this.#pending.add<Result>(call, deadline, options)
      this.#scheduler.add(call)
      if (options.onPosition) this.#positions.watch(call.key, options.onPosition)
      this.#dispatchSoon()
      return promise
    } catch (error) {
      return Promise.reject(error)
    }
  }

  stats(): BrokerStats {
    const children = this.#workers.map(({ child, state, inFlight }) => ({ pid: child?.pid, state, inFlight }))
    const error = this.#state === 'ready' ? undefined : this.#error()
    return {
      state: this.#state,
      queued: this.#scheduler.size,
      queuedBytes: this.#scheduler.bytes,
      inFlight: children.reduce((sum, child) => sum + child.inFlight, 0),
      restarts: this.#restarts,
      progress: this.#state === 'ready' ? null : this.#progress(),
      error: error ? errorSummary(error) : null,
      info: this.#ready()[0]?.info,
      capacity: this.#limits.workers * this.#scheduler.room,
      workers: children,
      spares: this.#spares.stats,
    }
  }

  /**
   * Replaces every child that serves, one after the other: a new child takes over between two batches, and no call fails.
   * Rejects if a new child cannot start; the children that serve go on then.
   */
  async renew(): Promise<void> {
    for (const worker of this.#workers) if (!this.#closing) await worker.renew()
    if (!this.#closing) this.#spares.renew()
  }

  /** Refuses new calls, waits for the accepted ones, then ends the children. */
  close({ timeout = this.#limits.closeTimeout }: { timeout?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(wholeNumber('timeout', Math.ceil(timeout), 0, 2 ** 30))
    return this.#closing
  }

  /** Ends the children at once and rejects every pending call. */
  kill(): void {
    this.#closing ??= Promise.resolve()
    for (const worker of this.#workers) worker.kill()
    this.#spares.kill()
    this.#rejectAll('closed', closed())
    this.#started?.reject(closed())
    this.#setState('closed')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Throws if the call must be refused. */
  #admit(call: Call, signal: AbortSignal | undefined): void {
    const refusal = refusalOf(call, signal, {
      isClosing: this.#closing !== undefined,
      state: this.#state,
      methods: this.#ready()[0]?.methods,
      waiting: this.#scheduler.waiting,
      limits: this.#limits,
      notReady: () => this.#notReady(),
    })
    if (refusal === undefined) return
    const { outcome, error } = refusal
    const timing = { queue: 0, prepare: 0, predict: 0, total: 0, batch: 0 }
    if (!call.silent) this.emit('call', { method: call.method, outcome, code: error.code, timing })
    throw error
  }

  #dispatchSoon(): void {
    if (this.#dispatching) return
    this.#dispatching = true
    process.nextTick(() => {
      this.#dispatching = false
      for (const [child, calls] of this.#scheduler.assign(this.#ready())) this.#send(child, calls)
      this.#positions.tell(this.#scheduler)
    })
  }

  #send(child: ChildView, calls: Call[]): void {
    try {
      child.send(calls)
    } catch (cause) {
      const [call] = calls
      if (!call || calls.length > 1) {
        // One input cannot be cloned, and the whole message fails: send each call by itself.
        for (const one of calls) this.#send(child, [one])
        return
      }
      if (child.suspect === call.key) child.suspect = undefined
      const why = cause instanceof Error ? cause.message : String(cause)
      const error = new BrokerError('ERR_NOT_CLONEABLE', `The input cannot cross the pipe: ${why}`, { cause })
      this.#pending.reject(call.key, 'failure', error)
      this.#dispatchSoon()
    }
  }

  #answers(child: ChildView, answers: CallAnswer[]): void {
    for (const answer of answers) {
      // An answer to a call that this child does not hold is dropped.
      if (!child.held.delete(answer.key)) continue
      if (child.suspect === answer.key) child.suspect = undefined
      if (answer.kind === 'result') this.#pending.resolve(answer.key, answer.value, answer.work, child.info)
      else this.#pending.reject(answer.key, 'failure', new ChildError(answer.error), answer.work)
    }
    const size = answers[0]?.work.batch ?? 0
    if (size > 0) tell(() => this.emit('batch', { size }))
    this.#dispatchSoon()
  }

  #lost(child: ChildView, cause: Error | undefined): void {
    if (cause) this.#restarts++
    for (const key of child.held.keys()) {
      const call = this.#pending.get(key)
      if (!call) continue
      call.deaths++
      if (cause && call.deaths === 1 && !child.culprits.includes(key)) this.#scheduler.retry(call)
      else if (cause && child.failure?.code === 'ERR_COST') {
        this.#pending.reject(key, 'failure', new BrokerError('ERR_COST', cause.message, { cause }))
      } else {
        const message = cause ? `A child died over this call twice: ${cause.message}` : 'The child was ended.'
        this.#pending.reject(key, 'child_exit', new BrokerError('ERR_CHILD_EXIT', message, { cause }))
      }
    }
    child.held.clear()
  }

  #ended(call: Call, outcome: Outcome, timing: CallTiming, error: unknown): void {
    this.#positions.forget(call.key)
    // A call that ends early leaves the queue. If a child holds the call, the child drops it unless it already runs.
    if (this.#scheduler.remove(call.key)) this.#dispatchSoon()
    else if (outcome === 'abort' || outcome === 'deadline') {
      for (const { child } of this.#workers) if (child?.held.has(call.key)) child.cancel([call.key])
    }
    const code = (error as { code?: string } | undefined)?.code
    if (!call.silent)
      this.emit('call', { method: call.method, outcome, timing, ...(code === undefined ? {} : { code }) })
    if (this.#pending.size === 0) this.#drained?.()
  }

  #changed(): void {
    if (this.#closing) {
      this.#dispatchSoon()
      return
    }
    const states = this.#workers.map((worker) => worker.state)
    if (states.includes('ready')) {
      this.#setState('ready')
      this.#tellInfo()
      this.#started?.resolve()
      this.#dispatchSoon()
      this.#spares.look()
      return
    }
    const error = this.#error()
    if (error) this.#started?.reject(error)
    if (states.every((state) => state === 'failed')) {
      this.#setState('failed', error)
      this.#rejectAll('not_ready', this.#notReady())
      return
    }
    this.#setState(error ? 'restarting' : 'starting', error)
  }

  /** The state may stay `ready` while one child of several is replaced by another, which has an `info` of its own. */
  #tellInfo(): void {
    const info = this.#ready()[0]?.info
    if (info === this.#toldInfo) return
    this.#toldInfo = info
    this.emit('info', { info })
  }

  #setState(state: BrokerState, error?: Error): void {
    const previous = this.#state
    if (state === previous) return
    this.#state = state
    this.emit('state', { state, previous, ...(error ? { error: errorSummary(error) } : {}) })
  }

  async #close(timeout: number): Promise<void> {
    this.#setState('closing')
    if (this.#pending.size > 0 && this.#started) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve
        setTimeout(resolve, timeout).unref()
      })
    }
    this.#rejectAll('closed', closed())
    await Promise.all([...this.#workers.map((worker) => worker.end()), this.#spares.end()])
    this.#started?.reject(closed())
    this.#setState('closed')
  }

  #rejectAll(outcome: 'closed' | 'not_ready', error: BrokerError): void {
    for (const key of this.#pending.keys()) this.#pending.reject(key, outcome, error)
  }

  #ready(): ChildView[] {
    return this.#workers.flatMap(({ ready }) => ready ?? [])
  }

  /** The progress of the child that is furthest: the broker is ready as soon as one child is. */
  #progress(): ProgressReport | null {
    const reports = this.#workers.flatMap(({ child }) => (child?.progress ? [child.progress] : []))
    return reports.sort((a, b) => b.fraction - a.fraction)[0] ?? null
  }

  /** The broker goes on trying as long as one worker does, so a permanent error comes last. */
  #error(): Error | undefined {
    const errors = this.#workers.flatMap(({ error }) => (error ? [error] : []))
    return errors.find((error) => !isPermanent(error)) ?? errors[0]
  }

  #notReady(): BrokerError {
    const cause = this.#error()
    const message = `The pipeline could not be started: ${cause?.message ?? 'no child is alive.'}`
    return new BrokerError('ERR_NOT_READY', message, { cause })
  }

  #forward<Name extends 'child-start' | 'takeover' | 'child-exit' | 'log' | 'progress'>(
    event: [Name, BrokerEvents[Name][0]],
  ): void {
    this.emit(event[0] as 'log', event[1] as BrokerEvents['log'][0])
  }
}
