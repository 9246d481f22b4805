import { backoff, deathWeight } from './backoff.ts'
import { type ChildOptions, ChildView } from './child-view.ts'
import type { CallAnswer } from './messages.ts'
import type { ProgressReport } from './pipeline.ts'
import type { Spare } from './spares.ts'
import { type FileWatch, watchFiles } from './watch-files.ts'

export type WorkerState = 'starting' | 'ready' | 'waiting' | 'failed' | 'ended'

export interface WorkerHooks {
  /** The state or the progress of this worker has changed. */
  changed(worker: Worker): void
  answered(child: ChildView, answers: CallAnswer[]): void
  /** A child is gone. `error` says why; it is undefined when the broker ended the child. */
  lost(child: ChildView, error: Error | undefined): void
  /** A child that was kept for this moment, if there is one. */
  spare(): Spare | undefined
  event(name: 'child-start', event: { pid: number | undefined; spare?: true }): void
  event(name: 'takeover', event: { pid: number | undefined }): void
  event(
    name: 'child-exit',
    event: { pid: number | undefined; exitCode: number | null; signal: string | null; expected: boolean },
  ): void
  event(name: 'log', event: { pid: number | undefined; stream: 'stdout' | 'stderr'; line: string }): void
  event(name: 'progress', event: { pid: number | undefined } & ProgressReport): void
}

const OUTSIDE_SIGNALS: readonly (string | null)[] = ['SIGKILL', 'SIGTERM']
// A child that has been ready for this long clears the count of deaths, even if it got no calls.
const PROVEN_AFTER_MS = 10_000

/**
 * Keeps one child alive: replaces a dead child by a spare or by a new one, at once after the first death and after growing
 * delays from then on.
 */
export class Worker {
  readonly #options: ChildOptions
  readonly #maxDeaths: number
  readonly #hooks: WorkerHooks
  #child: ChildView | undefined
  #timer: NodeJS.Timeout | undefined
  // After a permanent error: starts another child when a file has changed.
  #watch: FileWatch | undefined
  // Undefined while no child serves.
  #readyAt: number | undefined
  // The weighted deaths since a child last answered or was ready for PROVEN_AFTER_MS.
  #deaths = 0
  #state: WorkerState = 'starting'
  // Children that have been replaced while they served, until they have answered the calls that they hold.
  readonly #retiring = new Set<ChildView>()
  // The child that is to replace the one that serves, while it starts.
  #successor: ChildView | undefined
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

  get child(): ChildView | undefined {
    return this.#child
  }

  /** The child, if calls may be sent to it. */
  get ready(): ChildView | undefined {
    return this.#state === 'ready' && this.#child?.ready ? this.#child : undefined
  }

  /** The calls that are in a child. */
  get inFlight(): number {
    return [this.#child, ...this.#retiring].reduce((sum, child) => sum + (child?.held.size ?? 0), 0)
  }

  /**
   * Starts another child, which takes the place of the one that serves once it is ready. The old child ends when it has
   * answered the calls that it holds. Rejects if the other child cannot start: then the old one goes on.
   */
  async renew(): Promise<void> {
    if (this.#state !== 'ready' || this.#successor) return
    const child = new ChildView(this.#options)
    this.#successor = child
    const { pid } = child
    this.#hooks.event('child-start', { pid })
    child.on('log', (line) => this.#hooks.event('log', { pid, ...line }))
    try {
      await new Promise<void>((resolve, reject) => {
        child.on('ready', resolve)
        child.on('exit', (exit) => {
          this.#hooks.event('child-exit', { pid, ...exit })
          reject(child.lossError)
        })
      })
    } catch (error) {
      // The worker was ended, and has ended the other child too.
      if ((this.#state as WorkerState) === 'ended') return
      throw error
    } finally {
      this.#successor = undefined
    }
    child.removeAllListeners()
    this.#replaceBy(child)
  }

  #replaceBy(child: ChildView): void {
    const old = this.#child
    // The old child has died meanwhile, and its replacement is as new as this one.
    if (this.#state !== 'ready' || !old) {
      child.on('exit', (exit) => this.#hooks.event('child-exit', { pid: child.pid, ...exit }))
      child.kill()
      return
    }
    clearTimeout(this.#timer)
    this.#retire(old)
    this.#attach(child, () => this.#ready())
    this.#ready()
  }

  #retire(old: ChildView): void {
    this.#retiring.add(old)
    old.removeAllListeners('exit')
    old.on('exit', (exit) => {
      this.#retiring.delete(old)
      this.#hooks.event('child-exit', { pid: old.pid, ...exit })
      this.#hooks.lost(old, exit.expected ? undefined : old.lossError)
      // The calls that are tried again are waiting now.
      this.#hooks.changed(this)
    })
    const endIfIdle = () => {
      if (old.held.size === 0) void old.end()
    }
    // After the listener that takes the answers.
    old.on('answers', endIfIdle)
    endIfIdle()
  }

  start(): void {
    const spare = this.#hooks.spare()
    if (spare) {
      this.#adopt(spare)
      return
    }
    const child = this.#fork()
    if (!child) return
    this.#attach(child, () => this.#ready())
    this.#hooks.event('child-start', { pid: child.pid })
    this.#hooks.changed(this)
  }

  #adopt({ child, files }: Spare): void {
    this.#attach(child, () => void this.#readyUnlessOld(child, files))
    if (child.ready) child.wake()
    this.#hooks.changed(this)
  }

  #attach(child: ChildView, onReady: () => void): void {
    this.#child = child
    this.#state = this.#deaths >= this.#maxDeaths ? 'failed' : 'starting'
    const pid = child.pid
    child.on('log', (line) => this.#hooks.event('log', { pid, ...line }))
    child.on('progress', (progress) => {
      this.#hooks.event('progress', { pid, ...progress })
      this.#hooks.changed(this)
    })
    child.on('ready', onReady)
    child.on('answers', (answers) => {
      this.#deaths = 0
      this.#hooks.answered(child, answers)
    })
    child.on('exit', (exit) => {
      this.#hooks.event('child-exit', { pid, ...exit })
      this.#exited(child, exit.expected, OUTSIDE_SIGNALS.includes(exit.signal))
    })
  }

  /** A spare may have read files that have changed since: then it must not serve, and another child is started. */
  async #readyUnlessOld(
    child: ChildView,
    files = watchFiles(child.watch, child.startedAt, () => {}),
  ): Promise<void> {
    files.close()
    const isOld = child.watch.length > 0 && (await files.changed())
    if (this.#child !== child || this.#state === 'ended') return
    if (!isOld) {
      this.#hooks.event('takeover', { pid: child.pid })
      this.#ready()
      return
    }
    child.removeAllListeners()
    child.on('exit', (exit) => this.#hooks.event('child-exit', { pid: child.pid, ...exit }))
    child.kill()
    this.start()
  }

  /** A failed fork counts as a death, and is retried like one. */
  #fork(): ChildView | undefined {
    try {
      return new ChildView(this.#options)
    } catch (error) {
      this.error = error instanceof Error ? error : new Error(String(error))
      this.#tryLater(1)
      return undefined
    }
  }

  async end(): Promise<void> {
    this.#stop()
    await Promise.all([this.#child, ...this.#retiring].map((child) => child?.end()))
  }

  kill(): void {
    this.#stop()
    for (const child of [this.#child, ...this.#retiring]) child?.kill()
  }

  #stop(): void {
    this.#state = 'ended'
    clearTimeout(this.#timer)
    this.#watch?.close()
    this.#successor?.kill()
  }

  #ready(): void {
    if (this.#state === 'ended') return
    this.#state = 'ready'
    this.#readyAt = performance.now()
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

  /** After a permanent error: starts another child only when one of the files has changed. */
  #failForGood(files: readonly string[], since: number): void {
    this.#deaths = 0
    this.#state = 'failed'
    this.#watch = watchFiles(files, since, () => this.start())
    this.#hooks.changed(this)
  }

  #exited(child: ChildView, expected: boolean, killed: boolean): void {
    clearTimeout(this.#timer)
    const readyMs = this.#readyAt === undefined ? 0 : performance.now() - this.#readyAt
    this.#readyAt = undefined
    this.#child = undefined
    if (expected || this.#state === 'ended') {
      this.#state = 'ended'
      this.#hooks.lost(child, undefined)
      return
    }
    const { failure, condemned } = child
    this.error = child.lossError
    const permanent = failure?.error?.permanent
    if (permanent) {
      this.#hooks.lost(child, undefined)
      this.#failForGood(permanent.watch, child.startedAt)
      return
    }
    const isOverInput = failure?.code === 'ERR_COST' && child.held.size > 0
    const isOutside = killed && !condemned
    this.#hooks.lost(child, this.error)
    this.#tryLater(deathWeight({ isOutside, isOverInput, startMs: child.startMs, readyMs }))
  }
}
