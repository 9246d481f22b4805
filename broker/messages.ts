import { MAX_CAUSES, MAX_WATCHED, type WireError } from './error-wire.ts'
import type { ProgressReport } from './pipeline.ts'
import { hasFewPlaces } from './places.ts'

/**
 * The messages on the pipe. Several calls or answers are sent as one group, because one write costs a fraction of many;
 * a single call or answer is sent without a group.
 */
export type ToChild =
  | ({ kind: 'start'; name: string; pipeline: string; options: unknown } & ChildLimits)
  | CallMessage
  | { kind: 'calls'; calls: CallMessage[] }
  | { kind: 'cancel'; keys: string[] }
  // Asks a ready child whether it is still there. The answer is another `ready`.
  | { kind: 'ping' }
  | { kind: 'close' }

export interface ChildLimits {
  maxBatch: number
  maxBatchMs: number
  prepareTimeout: number
  maxGrowth: number
}

export interface CallMessage {
  kind: 'call'
  key: string
  method: string
  args: [unknown]
}

export type FromChild =
  | ({ kind: 'progress' } & ProgressReport)
  | { kind: 'ready'; methods: string[]; info: unknown; watch: string[] }
  | { kind: 'failed'; error: WireError }
  | CallAnswer
  | { kind: 'answers'; answers: CallAnswer[] }
  | Condemned

/** A child asks to be killed. `keys`: the calls that certainly are the cause. */
export interface Condemned {
  kind: 'condemned'
  code: 'ERR_COST' | 'ERR_CHILD_EXIT'
  message: string
  keys: string[]
}

export type CallAnswer =
  | { kind: 'result'; key: string; value: unknown; work: Work }
  | { kind: 'failure'; key: string; error: WireError; work: Work }

/** The child's figures for one call: milliseconds of preparing and of predicting, and the size of its batch. */
export interface Work {
  prepare: number
  predict: number
  batch: number
}

export function isFromChild(message: unknown): message is FromChild {
  if (!isRecord(message) || !hasFewPlaces(message)) return false
  switch (message.kind) {
    case 'progress':
      return typeof message.fraction === 'number' && typeof message.word === 'string'
    case 'ready':
      return isListOf(message.methods, isText) && isFewFiles(message.watch)
    case 'failed':
      return isWireError(message.error)
    case 'result':
    case 'failure':
      return isAnswer(message)
    case 'answers':
      return isListOf(message.answers, isAnswer)
    case 'condemned':
      return (
        (message.code === 'ERR_COST' || message.code === 'ERR_CHILD_EXIT') &&
        typeof message.message === 'string' &&
        isListOf(message.keys, isText)
      )
    default:
      return false
  }
}

export function isToChild(message: unknown): message is ToChild {
  if (!isRecord(message)) return false
  switch (message.kind) {
    case 'start':
      return (
        typeof message.pipeline === 'string' &&
        [message.maxBatch, message.maxBatchMs, message.prepareTimeout, message.maxGrowth].every(
          Number.isInteger,
        )
      )
    case 'call':
      return isCall(message)
    case 'calls':
      return isListOf(message.calls, isCall)
    case 'cancel':
      return Array.isArray(message.keys)
    case 'ping':
    case 'close':
      return true
    default:
      return false
  }
}

function isCall(call: unknown): call is CallMessage {
  return (
    isRecord(call) &&
    typeof call.key === 'string' &&
    typeof call.method === 'string' &&
    Array.isArray(call.args)
  )
}

function isAnswer(answer: unknown): answer is CallAnswer {
  if (!isRecord(answer) || typeof answer.key !== 'string' || !isWork(answer.work)) return false
  return answer.kind === 'result' || (answer.kind === 'failure' && isWireError(answer.error))
}

export function isWork(work: unknown): work is Work {
  return isRecord(work) && [work.prepare, work.predict, work.batch].every(Number.isFinite)
}

export function isWireError(error: unknown, depth = 0): error is WireError {
  if (!isRecord(error) || depth > MAX_CAUSES) return false
  const texts = [error.name, error.code, error.message, error.stack]
  if (!texts.every((text) => typeof text === 'string')) return false
  if (error.permanent !== undefined && !isPermanent(error.permanent)) return false
  return error.cause === undefined || isWireError(error.cause, depth + 1)
}

function isPermanent(permanent: unknown): boolean {
  return isRecord(permanent) && isFewFiles(permanent.watch)
}

function isFewFiles(watch: unknown): boolean {
  return Array.isArray(watch) && watch.length <= MAX_WATCHED && isListOf(watch, isText)
}

/** `every` alone would pass over the holes of a sparse array; the copy has undefined in their places. */
function isListOf<T>(list: unknown, isOne: (value: unknown) => value is T): list is T[] {
  return Array.isArray(list) && [...list].every(isOne)
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
