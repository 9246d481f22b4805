import { decode, Encoder, ExtensionCodec, type ExtensionCodecType } from '@msgpack/msgpack'
import { byteSize } from '../broker/byte-size.ts'
import { ChildError, encodeError, type WireError } from '../broker/error-wire.ts'
import { BrokerError, type BrokerErrorCode } from '../broker/errors.ts'
import { isRecord, isWireError, isWork, type Work } from '../broker/messages.ts'
import type { BrokerState } from '../broker/state.ts'

/** The answer of a model host. */
export type Reply =
  | { readonly kind: 'result'; readonly value: unknown; readonly work: Work }
  | { readonly kind: 'failure'; readonly error: WireError; readonly work: Work }

/** What a model host tells of itself. */
export interface Announcement {
  readonly name: string
  readonly boot: string
  readonly leaving: boolean
  readonly pipelines: readonly PipelineNews[]
}

export interface PipelineNews {
  readonly name: string
  readonly state: BrokerState
  /** identifies `info`, which is the same as long as this is the same */
  readonly infoId: string
  /** sent only when it has changed, and to web hosts that ask */
  readonly info?: unknown
  readonly progress: { readonly fraction: number; readonly word: string } | null
  readonly error: { readonly code: string; readonly message: string; readonly permanent: boolean } | null
  readonly children: number
  readonly capacity: number
  readonly inFlight: number
  readonly rate: number
  readonly restarts: number
  readonly redelivered: number
}

export type Notice = { readonly kind: 'cancel'; readonly keys: string[] } | { readonly kind: 'hello' }

// A declared length allocates memory before a byte of the list has been read.
const MAX_LENGTH = 10_000_000
const FREE_BYTES = 512
const MAX_NAME = 255
const MAX_PIPELINES = 1000
const NO_WORK: Work = { prepare: 0, predict: 0, batch: 0 }
// A failed call of the host's own Broker stays a BrokerError, whatever the pipeline calls its errors.
const BROKER_ERROR = 'BrokerError'

/**
 * MessagePack without extensions, so that hosts in any language can take part. A value of another class than these would
 * arrive as something else, and is refused.
 */
class PlainValues extends ExtensionCodec implements ExtensionCodecType<undefined> {
  override tryToEncode(value: unknown, context: undefined) {
    if (isPlain(value)) return super.tryToEncode(value, context)
    const kind = typeof value === 'object' ? (value?.constructor?.name ?? 'an object') : typeof value
    throw new Error(
      `${kind} is none of number, string, boolean, null, array, plain object, Uint8Array, Date.`,
    )
  }
}

const CODEC = new PlainValues()

export function encodeValue(value: unknown): Uint8Array {
  try {
    return new Encoder({
      extensionCodec: CODEC,
      initialBufferSize: byteSize(value) + FREE_BYTES,
      ignoreUndefined: true,
    }).encodeSharedRef(value)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new BrokerError('ERR_NOT_CLONEABLE', `The value cannot be sent to another host: ${why}`, { cause })
  }
}

/** Throws ERR_PROTOCOL for bytes that are no value. */
export function decodeValue(bytes: Uint8Array): unknown {
  const limits = { maxArrayLength: MAX_LENGTH, maxMapLength: MAX_LENGTH, maxExtLength: 16 }
  try {
    return decode(bytes, limits)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new BrokerError('ERR_PROTOCOL', `The message is not MessagePack: ${why}`, { cause })
  }
}

export function encodeReply(reply: Reply): Uint8Array {
  if (reply.kind === 'result') return encodeValue({ value: reply.value, work: reply.work })
  return encodeValue({ error: reply.error, work: reply.work })
}

export function decodeReply(kind: string, bytes: Uint8Array): Reply {
  const body = decodeValue(bytes)
  if (isRecord(body) && isWork(body.work)) {
    if (kind === 'result') return { kind, value: body.value, work: body.work }
    if (kind === 'failure' && isWireError(body.error)) return { kind, error: body.error, work: body.work }
  }
  throw new BrokerError('ERR_PROTOCOL', 'The answer of the model host has an unknown form.')
}

export function failureOf(error: unknown, work = NO_WORK): Reply {
  return { kind: 'failure', error: encodeError(error), work }
}

/** The error as the host's own Broker would have thrown it. */
export function errorOf(wire: WireError): Error {
  if (wire.name !== BROKER_ERROR) return new ChildError(wire)
  const cause = wire.cause && new ChildError(wire.cause)
  return new BrokerError(wire.code as BrokerErrorCode, wire.message, { cause })
}

export function readAnnouncement(bytes: Uint8Array): Announcement {
  const body = decodeValue(bytes)
  if (isAnnouncement(body)) return body
  throw new BrokerError('ERR_PROTOCOL', 'The announcement of a model host has an unknown form.')
}

export function readNotice(kind: string, bytes: Uint8Array): Notice {
  const body = decodeValue(bytes)
  if (kind === 'hello') return { kind }
  if (kind === 'cancel' && isRecord(body) && Array.isArray(body.keys) && body.keys.every(isText))
    return { kind, keys: body.keys }
  throw new BrokerError('ERR_PROTOCOL', 'The notice has an unknown form.')
}

function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value) || value instanceof Uint8Array || value instanceof Date) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function isAnnouncement(body: unknown): body is Announcement {
  return (
    isRecord(body) &&
    isName(body.name) &&
    isName(body.boot) &&
    typeof body.leaving === 'boolean' &&
    Array.isArray(body.pipelines) &&
    body.pipelines.length <= MAX_PIPELINES &&
    body.pipelines.every(isNews)
  )
}

function isNews(news: unknown): news is PipelineNews {
  if (!isRecord(news) || !isName(news.name) || !isText(news.state) || !isText(news.infoId)) return false
  const { children, capacity, inFlight, rate, restarts, redelivered, progress, error } = news
  const isProgress =
    progress === null ||
    (isRecord(progress) && typeof progress.fraction === 'number' && isText(progress.word))
  const isError = error === null || (isRecord(error) && isText(error.code) && isText(error.message))
  const figures = [children, capacity, inFlight, rate, restarts, redelivered]
  return isProgress && isError && figures.every((figure) => Number.isFinite(figure) && Number(figure) >= 0)
}

function isName(value: unknown): value is string {
  return isText(value) && value !== '' && value.length <= MAX_NAME
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}
