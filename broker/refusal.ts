import { BrokerError } from './errors.ts'
import type { Limits } from './options.ts'
import type { Call, Outcome } from './pending.ts'
import type { BrokerState } from './state.ts'

/** The error of a refused call, and the outcome under which the refusal is counted. */
export interface Refusal {
  readonly outcome: Outcome
  readonly error: BrokerError
}

export interface Admission {
  readonly isClosing: boolean
  readonly state: BrokerState
  /** the methods of a ready child; undefined while no child is ready: then the call waits and is checked by the child */
  readonly methods: ReadonlySet<string> | undefined
  readonly waiting: { readonly calls: number; readonly bytes: number }
  readonly limits: Pick<Limits, 'maxQueue' | 'maxQueueBytes'>
  /** the error that says why no child is available */
  notReady(): BrokerError
}

export function refusalOf(
  call: Call,
  signal: AbortSignal | undefined,
  { isClosing, state, methods, waiting, limits, notReady }: Admission,
): Refusal | undefined {
  if (isClosing) return { outcome: 'closed', error: closed() }
  if (signal?.aborted) {
    const cause: unknown = signal.reason
    return { outcome: 'abort', error: new BrokerError('ERR_ABORTED', 'The caller went away.', { cause }) }
  }
  if (state === 'idle') return refuse('not_ready', 'ERR_NOT_READY', 'The broker has not been started.')
  if (state === 'failed') return { outcome: 'not_ready', error: notReady() }
  if (methods && !methods.has(call.method)) {
    return refuse('failure', 'ERR_UNKNOWN_METHOD', `The pipeline has no method "${call.method}".`)
  }
  const { calls, bytes } = waiting
  if (calls >= limits.maxQueue)
    return full(`The queue holds ${calls} calls; its limit is ${limits.maxQueue}.`)
  if (bytes + call.bytes <= limits.maxQueueBytes) return undefined
  return full(
    `The queue holds ${bytes} bytes; ${call.bytes} more would pass its limit of ${limits.maxQueueBytes}.`,
  )
}

export function closed(): BrokerError {
  return new BrokerError('ERR_CLOSED', 'The broker is closed.')
}

function full(message: string): Refusal {
  return refuse('queue_full', 'ERR_QUEUE_FULL', message)
}

function refuse(outcome: Outcome, code: BrokerError['code'], message: string): Refusal {
  return { outcome, error: new BrokerError(code, message) }
}
