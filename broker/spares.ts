import { backoff } from './backoff.ts'
import { type ChildEvents, type ChildOptions, ChildView } from './child-view.ts'
import { type ReadyChild, type SpareCount, spareCount } from './options.ts'
import { type FileWatch, watchFiles } from './watch-files.ts'

/** A child without calls. `files` is there once the child is ready. */
export interface Spare {
  readonly child: ChildView
  files?: FileWatch
}

export interface SparesHooks {
  /** The children that serve, undefined in place of one that is missing. */
  serving(): readonly (ChildView | undefined)[]
  /** A spare has died. `error` is undefined when the death is not to be counted. */
  lost(child: ChildView, error: Error | undefined): void
  event(name: 'child-start', event: { pid: number | undefined; spare: true }): void
  event(name: 'child-exit', event: { pid: number | undefined } & ChildEvents['exit'][0]): void
  event(name: 'log', event: { pid: number | undefined } & ChildEvents['log'][0]): void
}

// A spare is never urgent: until it is there, a dead child is replaced by a new one.
const RETRY_AFTER_MS = 1_000
// How soon a function that wanted no spare is asked again.
const ASK_AGAIN_MS = 60_000

/** Keeps children that are ready and hold no calls, until a worker takes one in place of its dead child. */
export class Spares {
  readonly #options: ChildOptions
  readonly #count: SpareCount
  readonly #hooks: SparesHooks
  readonly #spares = new Set<Spare>()
  // Delays the next look, after a death or a refusal.
  #timer: NodeJS.Timeout | undefined
  // After a permanent error: starts another spare when a file has changed.
  #watch: FileWatch | undefined
  // Deaths since a spare was last taken.
  #deaths = 0
  #isAsking = false
  #isClosed = false

  constructor(options: ChildOptions, count: SpareCount, hooks: SparesHooks) {
    this.#options = options
    this.#count = count
    this.#hooks = hooks
  }

  get stats(): { pid: number | undefined; state: 'starting' | 'ready' }[] {
    return [...this.#spares].map(({ child }) => ({
      pid: child.pid,
      state: child.ready ? 'ready' : 'starting',
    }))
  }

  /** Starts one spare if one is missing. To be called whenever a worker is ready. */
  look(): void {
    if (this.#count === 0 || this.#timer || this.#watch || !this.#isTime()) return
    if (typeof this.#count === 'number') this.#startIfBelow(this.#count)
    else if (!this.#isAsking) void this.#ask(this.#count)
  }

  /** The spare that is furthest: one that still starts is ahead of a new child. */
  take(): Spare | undefined {
    const spares = [...this.#spares].filter(({ child }) => child.failure === undefined)
    const spare = spares.find(({ child }) => child.ready) ?? spares[0]
    if (!spare) return undefined
    this.#remove(spare)
    spare.child.removeAllListeners()
    this.#deaths = 0
    return spare
  }

  /** Replaces all spares by new ones. */
  renew(): void {
    for (const spare of [...this.#spares]) this.#replace(spare)
  }

  async end(): Promise<void> {
    this.#close()
    await Promise.all([...this.#spares].map(({ child }) => child.end()))
  }

  kill(): void {
    this.#close()
    for (const { child } of this.#spares) child.kill()
  }

  #close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#watch?.close()
    for (const { files } of this.#spares) files?.close()
  }

  /** Not before the children that serve: a spare would slow down their start. One spare starts after the other. */
  #isTime(): boolean {
    if (this.#isClosed) return false
    const spares = [...this.#spares]
    return this.#hooks.serving().every(Boolean) && spares.every(({ child }) => child.ready)
  }

  async #ask(count: (child: ReadyChild) => number | Promise<number>): Promise<void> {
    const [child] = this.#hooks.serving()
    if (!child) return
    this.#isAsking = true
    try {
      const wanted = spareCount(await count({ pid: child.pid, info: child.info }))
      if (!this.#isTime()) return
      if (wanted > this.#spares.size) this.#startIfBelow(wanted)
      else this.#lookLater(ASK_AGAIN_MS)
    } catch (error) {
      if (this.#isClosed) return
      const reason = error instanceof Error ? error.message : 'the function "spares" failed.'
      const line = `No spare child could be started: ${reason}`
      this.#hooks.event('log', { pid: child.pid, stream: 'stderr', line })
      this.#lookLater(ASK_AGAIN_MS)
    } finally {
      this.#isAsking = false
    }
  }

  #startIfBelow(wanted: number): void {
    if (this.#spares.size >= wanted) return
    try {
      this.#start()
    } catch {
      // No process could be started. The workers report such errors when they need a child.
      this.#died()
    }
  }

  #start(): void {
    const child = new ChildView(this.#options)
    const spare: Spare = { child }
    const { pid } = child
    this.#spares.add(spare)
    child.on('log', (line) => this.#hooks.event('log', { pid, ...line }))
    child.on('ready', () => {
      spare.files = watchFiles(child.watch, child.startedAt, () => this.#replace(spare))
      this.look()
    })
    child.on('exit', (exit) => {
      this.#hooks.event('child-exit', { pid, ...exit })
      this.#exited(spare)
    })
    this.#hooks.event('child-start', { pid, spare: true })
  }

  /** The spare must never serve, such as when its files have changed: the next one reads the new files. */
  #replace(spare: Spare): void {
    this.#remove(spare)
    spare.child.kill()
    this.look()
  }

  /** The next look is now, even if it would have been later as long as this spare was there. */
  #remove(spare: Spare): void {
    this.#spares.delete(spare)
    spare.files?.close()
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #exited(spare: Spare): void {
    const { child } = spare
    spare.files?.close()
    const isMissed = this.#spares.delete(spare)
    if (!isMissed || this.#isClosed) return
    const permanent = child.failure?.error?.permanent
    // Like a worker's: a permanent error is no death.
    this.#hooks.lost(child, permanent ? undefined : child.lossError)
    if (permanent) this.#waitForChange(permanent.watch, child.startedAt)
    else this.#died()
  }

  #waitForChange(files: readonly string[], since: number): void {
    this.#watch = watchFiles(files, since, () => {
      this.#watch = undefined
      this.look()
    })
  }

  #died(): void {
    this.#deaths++
    this.#lookLater(Math.max(RETRY_AFTER_MS, backoff(this.#deaths)))
  }

  #lookLater(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.look()
    }, ms)
    this.#timer.unref()
  }
}
