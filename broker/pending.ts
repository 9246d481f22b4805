import { BrokerError } from './errors.ts'
import type { Work } from './messages.ts'

export interface CallTiming {
  /** Milliseconds. `queue` is all waiting: in the queue, on the pipe, and for the batch before. */
  queue: number
  prepare: number
  predict: number
  total: number
  /** The number of inputs in the call's batch. */
  batch: number
}

export type Outcome =
  | 'result'
  | 'failure'
  | 'deadline'
  | 'abort'
  | 'queue_full'
  | 'child_exit'
  | 'not_ready'
  | 'closed'

export interface Call {
  readonly key: string
  readonly method: string
  readonly input: unknown
  readonly bytes: number
  readonly calledAt: number
  readonly silent: boolean
  sentAt: number
  /** How many children have died over this call. */
  deaths: number
}

/** What the caller wants to be told about the call. */
interface Listeners {
  readonly signal?: AbortSignal | undefined
  readonly onTiming?: ((timing: CallTiming) => void) | undefined
  readonly onInfo?: ((info: unknown) => void) | undefined
}

interface Deferred {
  readonly call: Call
  readonly settle: (outcome: Outcome, value: unknown, timing: CallTiming, info: unknown) => void
}

/**
 * The waiting promises, by key. A call ends exactly once: the first end removes the call from the map, with its timer
 * and its listener, and a later answer under that key finds nothing.
 */
export class Pending {
  readonly #waiting = new Map<string, Deferred>()
  readonly #onEnd: (call: Call, outcome: Outcome, timing: CallTiming, error: unknown) => void

  constructor(onEnd: (call: Call, outcome: Outcome, timing: CallTiming, error: unknown) => void) {
    this.#onEnd = onEnd
  }

  get size(): number {
    return this.#waiting.size
  }

  get(key: string): Call | undefined {
    return this.#waiting.get(key)?.call
  }

  keys(): string[] {
    return [...this.#waiting.keys()]
  }

  add<T>(call: Call, deadline: number, { signal, onTiming, onInfo }: Listeners): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        const message = `The call was not answered within ${deadline} ms.`
        this.reject(call.key, 'deadline', new BrokerError('ERR_DEADLINE', message))
      }, deadline)
      const onAbort = () => {
        const cause = signal?.reason
        this.reject(call.key, 'abort', new BrokerError('ERR_ABORTED', 'The caller went away.', { cause }))
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiting.set(call.key, {
        call,
        settle: (outcome, value, timing, info) => {
          clearTimeout(timer)
          signal?.removeEventListener('abort', onAbort)
          if (outcome !== 'result') return reject(value)
          // Code that awaits the promise runs only after this function, so after onTiming and onInfo.
          resolve(value as T)
          if (onTiming) tell(() => onTiming(timing))
          if (onInfo) tell(() => onInfo(info))
        },
      })
    })
  }

  /** `info` is that of the pipeline that has answered. */
  resolve(key: string, value: unknown, work: Work, info: unknown): void {
    this.#end(key, 'result', value, work, info)
  }

  reject(key: string, outcome: Exclude<Outcome, 'result'>, error: unknown, work?: Work): void {
    this.#end(key, outcome, error, work)
  }

  #end(key: string, outcome: Outcome, value: unknown, work?: Work, info?: unknown): void {
    const deferred = this.#waiting.get(key)
    if (!deferred) return
    this.#waiting.delete(key)
    const timing = timingOf(deferred.call, work)
    deferred.settle(outcome, value, timing, info)
    tell(() => this.#onEnd(deferred.call, outcome, timing, outcome === 'result' ? undefined : value))
  }
}

/** Calls a user's listener. If the listener throws, the other calls must still get their answers. */
export function tell(listener: () => void): void {
  try {
    listener()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

function timingOf(call: Call, work: Work = { prepare: 0, predict: 0, batch: 0 }): CallTiming {
  const total = performance.now() - call.calledAt
  const { prepare, predict, batch } = work
  // The clocks of parent and child differ slightly; that must not make `queue` negative.
  return { queue: Math.max(0, total - prepare - predict), prepare, predict, total, batch }
}
