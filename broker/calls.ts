import type { EventEmitter } from 'node:events'
import type { CallTiming } from './pending.ts'
import type { BrokerEvents, BrokerStats } from './state.ts'

export interface CallOptions {
  /** Takes the call out of the queue; its promise rejects with ERR_ABORTED. */
  signal?: AbortSignal
  /** Milliseconds that this call may take. */
  deadline?: number
  /** Called with the time spent in each step, just before the promise resolves. */
  onTiming?: (timing: CallTiming) => void
  /** Called when the call's place in the queue changes: 1 is next, 0 means that a child has the call. */
  onPosition?: (position: number) => void
  /** Called with the `info` of the pipeline that has answered, just before the promise resolves. */
  onInfo?: (info: unknown) => void
  /** No `call` event tells of this call: it is the program's own, and no work of a client. */
  silent?: boolean
}

/**
 * Calls to one pipeline, wherever the pipeline runs: a Broker has child processes behind a pipe, a FleetBroker has other
 * hosts behind a queue. A call ends exactly once.
 */
export interface Calls extends EventEmitter<BrokerEvents> {
  /** Resolves when the first child is ready. */
  start(): Promise<void>
  call<Result = unknown>(method: string, input: unknown, options?: CallOptions): Promise<Result>
  stats(): BrokerStats
  /** Refuses new calls, and waits for the accepted ones. */
  close(options?: { timeout?: number }): Promise<void>
  /** Rejects every pending call at once. */
  kill(): void
}
