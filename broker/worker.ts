import { backoff } from './backoff.ts'
import { type ChildOptions, ChildProcess } from './child-view.ts'
import { PipelineError } from './error-wire.ts'
import { BrokerError } from './errors.ts'
import type { Answer } from './messages.ts'

export type WorkerState = 'starting' | 'ready' | 'waiting' | 'failed' | 'ended'

export interface WorkerHooks {
  /** The state or the progress of this worker has changed. */
  changed(worker: Worker): void
  answered(child: ChildProcess, answers: Answer[]): void
  /** A child is gone. `error` says why; it is undefined when the broker ended the child. */
  lost(child: ChildProcess, error: Error | undefined): void
  event(name: 'child-start', event: { pid: number | undefined }): void
  event(
    name: 'child-exit',
    event: { pid: number | undefined; exitCode: number | null; signal: string | null; expected: boolean },
  ): void
  event(name: 'log', event: { pid: number | undefined; stream: 'stdout' | 'stderr'; line: string }): void
  event(name: 'progress', event: { pid: number | undefined; fraction: number; word: string }): void
}

// A kill from outside (an operator, the kernel short of memory) says little about the pipeline. It counts a tenth of a
// crash, so that a series of kills leads neither to long delays nor to the state `failed`.
const OUTSIDE_SIGNALS: readonly (string | null)[] = ['SIGKILL', 'SIGTERM']
const KILL_WEIGHT = 0.1
// A child that has been ready for this long clears the count of deaths, even if it got no calls.
const PROVEN_AFTER_MS = 10_000

/** Keeps one child alive: replaces a dead child, at once after the first death and after growing delays from then on. */
export class Worker {
  readonly #options: ChildOptions
  readonly #maxDeaths: number
  readonly #hooks: WorkerHooks
  #child: ChildProcess | undefined
  #timer: NodeJS.Timeout | undefined
  // The weighted deaths since a child last answered or was ready for PROVEN_AFTER_MS.
  #deaths = 0
  #state: WorkerState = 'starting'
  // Why the last child died; undefined once another is ready.
  error: Error | undefined

  constructor(options: ChildOptions, maxDeaths: number, hooks: WorkerHooks) {
    this.#options = options
    this.#maxDeaths = maxDeaths
    this.#hooks = hooks
  }

  get state(): WorkerState {
    return this.#state
  }

  get child(): ChildProcess | undefined {
    return this.#child
  }

  start(): void {
    const child = this.#fork()
    if (!child) return
    this.#child = child
    this.#state = this.#deaths >= this.#maxDeaths ? 'failed' : 'starting'
    const pid = child.pid
    child.on('log', (line) => this.#hooks.event('log', { pid, ...line }))
    child.on('progress', (progress) => {
      this.#hooks.event('progress', { pid, ...progress })
      this.#hooks.changed(this)
    })
    child.on('ready', () => this.#ready())
    child.on('answers', (answers) => {
      this.#deaths = 0
      this.#hooks.answered(child, answers)
    })
    child.on('exit', (exit) => {
      this.#hooks.event('child-exit', { pid, ...exit })
      this.#exited(child, exit.expected, OUTSIDE_SIGNALS.includes(exit.signal))
    })
    this.#hooks.event('child-start', { pid })
    this.#hooks.changed(this)
  }

  /** A failed fork counts as a death, and is retried like one. */
  #fork(): ChildProcess | undefined {
    try {
      return new ChildProcess(this.#options)
    } catch (error) {
      this.error = error instanceof Error ? error : new Error(String(error))
      this.#tryLater(1)
      return undefined
    }
  }

  async end(): Promise<void> {
    this.#state = 'ended'
    clearTimeout(this.#timer)
    await this.#child?.end()
  }

  kill(): void {
    this.#state = 'ended'
    clearTimeout(this.#timer)
    this.#child?.kill()
  }

  #ready(): void {
    if (this.#state === 'ended') return
    this.#state = 'ready'
    this.error = undefined
    this.#timer = setTimeout(() => {
      this.#deaths = 0
    }, PROVEN_AFTER_MS)
    this.#timer.unref()
    this.#hooks.changed(this)
  }

  #tryLater(weight: number): void {
    this.#deaths += weight
    this.#state = this.#deaths >= this.#maxDeaths ? 'failed' : 'waiting'
    this.#timer = setTimeout(() => this.start(), backoff(this.#deaths))
    this.#hooks.changed(this)
  }

  #exited(child: ChildProcess, expected: boolean, killed: boolean): void {
    clearTimeout(this.#timer)
    this.#child = undefined
    if (expected || this.#state === 'ended') {
      this.#state = 'ended'
      this.#hooks.lost(child, undefined)
      return
    }
    const { failure, condemned } = child
    this.error = failure?.error
      ? new PipelineError(failure.error)
      : new BrokerError(
          failure?.code === 'ERR_PROTOCOL' ? 'ERR_PROTOCOL' : 'ERR_CHILD_EXIT',
          failure?.message ?? 'The child died.',
        )
    this.#hooks.lost(child, this.error)
    this.#tryLater(killed && !condemned ? KILL_WEIGHT : 1)
  }
}
