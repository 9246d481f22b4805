import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { serialize } from 'node:v8'
import { BrokerError } from './errors.ts'

/** The number of spares, or a function that is asked for the number before each start of a spare. */
export type SpareCount = number | ((child: ReadyChild) => number | Promise<number>)

/** A child that serves. */
export interface ReadyChild {
  readonly pid: number | undefined
  /** the pipeline's `info` */
  readonly info: unknown
}

export interface BrokerOptions {
  /** The module with `makePipeline`: a URL, or an absolute path. */
  pipeline: string | URL
  /** Passed to `makePipeline`; must be cloneable. */
  options?: unknown
  /** Shown in logs and in the process list. */
  name?: string
  /** The number of child processes. */
  workers?: number
  /** The number of further children that are ready to take the place of a dead one, and get no calls until then. */
  spares?: SpareCount
  /** The most inputs that one predict() gets. */
  maxBatch?: number
  /** Milliseconds that a batch of several inputs may take, by the `batchTimes` of the pipeline. */
  maxBatchMs?: number
  /** The most calls that may wait; `maxQueueBytes` is the most bytes of their inputs. */
  maxQueue?: number
  maxQueueBytes?: number
  /** Milliseconds that a call may take in all; `call()` can set another deadline. */
  deadline?: number
  /** Milliseconds without an answer after which a child that has work is killed. */
  hangTimeout?: number
  /** Milliseconds that the preparation of one input may take. */
  prepareTimeout?: number
  /** Bytes that a child may take beyond what it takes when it is ready. */
  maxGrowth?: number
  /** Milliseconds without a report of progress after which a child that starts is killed. */
  startTimeout?: number
  /** Milliseconds that close() waits for accepted calls. */
  closeTimeout?: number
  /** Deaths in a row after which the state is `failed`. */
  maxDeaths?: number
  /** The largest message that a child may send. */
  maxMessageBytes?: number
}

export type Limits = Required<Omit<BrokerOptions, 'pipeline' | 'options' | 'name' | 'spares'>>

const MIB = 2 ** 20
// About twelve days; a timer of Node can wait twice as long.
export const LONGEST_MS = 2 ** 30

const MAX_SPARES = 16

// name: [default, minimum, maximum]
const LIMITS: Record<keyof Limits, readonly [number, number, number]> = {
  workers: [1, 1, 256],
  maxBatch: [8, 1, 4096],
  maxBatchMs: [2_000, 1, LONGEST_MS],
  maxQueue: [256, 1, 1_000_000],
  maxQueueBytes: [256 * MIB, 1, Number.MAX_SAFE_INTEGER],
  deadline: [60_000, 1, LONGEST_MS],
  hangTimeout: [30_000, 1, LONGEST_MS],
  prepareTimeout: [30_000, 1, LONGEST_MS],
  maxGrowth: [4096 * MIB, MIB, Number.MAX_SAFE_INTEGER],
  startTimeout: [120_000, 1, LONGEST_MS],
  closeTimeout: [15_000, 0, LONGEST_MS],
  maxDeaths: [8, 1, 1000],
  // The minimum is above 64 KiB, because one read of the pipe may bring that many bytes of several small messages.
  maxMessageBytes: [256 * MIB, 2 ** 17, Number.MAX_SAFE_INTEGER],
}

export function readLimits(options: BrokerOptions): Limits {
  const limits = {} as Limits
  for (const [name, [otherwise, least, most]] of Object.entries(LIMITS)) {
    const field = name as keyof Limits
    limits[field] = wholeNumber(name, options[field] ?? otherwise, least, most)
  }
  return limits
}

export function wholeNumber(name: string, value: unknown, least: number, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
  throw new BrokerError(
    'ERR_OPTION',
    `${name} must be a whole number from ${least} to ${most}, but is ${inspect(value, { depth: 0 })}.`,
  )
}

export function readSpares(spares: SpareCount | undefined): SpareCount {
  return typeof spares === 'function' ? spares : spareCount(spares ?? 0)
}

export function spareCount(count: unknown): number {
  return wholeNumber('spares', count, 0, MAX_SPARES)
}

export function readDeadline(value: number): number {
  return wholeNumber('deadline', value, LIMITS.deadline[1], LIMITS.deadline[2])
}

export function mustBeSignal(signal: unknown): void {
  if (signal === undefined || signal instanceof AbortSignal) return
  throw new BrokerError(
    'ERR_OPTION',
    `signal must be an AbortSignal, but is ${inspect(signal, { depth: 0 })}.`,
  )
}

export function pipelineUrl(pipeline: unknown): string {
  if (pipeline instanceof URL) return pipeline.href
  if (typeof pipeline === 'string') {
    if (isAbsolute(pipeline)) return pathToFileURL(pipeline).href
    if (URL.canParse(pipeline)) return pipeline
  }
  throw new BrokerError(
    'ERR_OPTION',
    `pipeline must be a URL or an absolute path, but is ${inspect(pipeline, { depth: 0 })}.`,
  )
}

/** Checked in the constructor, where the error can name the option; the first fork would fail without a name. */
export function cloneable(options: unknown): unknown {
  try {
    serialize(options)
    return options
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new BrokerError('ERR_OPTION', `options cannot be sent to a child: ${why}`, { cause })
  }
}
