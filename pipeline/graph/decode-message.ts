import { PipelineError } from '../errors.ts'
import type { Field, Messages } from './encode-message.ts'

/** The number of a field and how it is written, in one number. */
const WIRE_BITS = 3
const VARINT = 0
const EIGHT_BYTES = 1
const LENGTH_DELIMITED = 2
const FOUR_BYTES = 5

/**
 * Decodes a message of protocol buffers, the inverse of encodeMessage. Fields that the table does not have are skipped; a
 * repeated field that is absent is an empty list. Bytes are a view of the input.
 */
export function decodeMessage(messages: Messages, type: string, bytes: Uint8Array): Record<string, unknown> {
  const fields = new Map(
    Object.entries(messages[type]?.fields ?? {}).map(([name, its]) => [its.id, { name, its }]),
  )
  const message: Record<string, unknown> = {}
  for (const { name, its } of fields.values()) if (its.rule === 'repeated') message[name] = []
  const reader = new Reader(bytes)
  while (!reader.isAtEnd) {
    const tag = reader.varint()
    const [id, wire] = [tag >> WIRE_BITS, tag & (2 ** WIRE_BITS - 1)]
    const field = fields.get(id)
    const value = field ? decodeField(messages, field.its, wire, reader) : reader.skip(wire)
    if (!field) continue
    if (field.its.rule === 'repeated')
      (message[field.name] as unknown[]).push(...(Array.isArray(value) ? value : [value]))
    else message[field.name] = value
  }
  return message
}

/** A list for numbers that are written one after the other without tags. */
function decodeField(messages: Messages, { type }: Field, wire: number, reader: Reader): unknown {
  if (type === 'int32' || type === 'int64') {
    if (wire === VARINT) return reader.varint()
    const packed = new Reader(reader.delimited())
    const values: number[] = []
    while (!packed.isAtEnd) values.push(packed.varint())
    return values
  }
  if (type === 'float') return reader.float()
  const bytes = reader.delimited()
  if (type === 'string') return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
  return type === 'bytes' ? bytes : decodeMessage(messages, type, bytes)
}

class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  varint(): number {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined || shift > 63n) throw cutOff()
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return Number(BigInt.asIntN(64, value))
    }
  }

  float(): number {
    const at = this.#take(4)
    return this.#view.getFloat32(at, true)
  }

  delimited(): Uint8Array {
    const length = this.varint()
    const at = this.#take(length)
    return this.#bytes.subarray(at, at + length)
  }

  skip(wire: number): undefined {
    if (wire === VARINT) this.varint()
    else if (wire === LENGTH_DELIMITED) this.delimited()
    else if (wire === EIGHT_BYTES || wire === FOUR_BYTES) this.#take(wire === FOUR_BYTES ? 4 : 8)
    else throw cutOff()
  }

  #take(length: number): number {
    const at = this.#at
    if (length < 0 || at + length > this.#bytes.length) throw cutOff()
    this.#at += length
    return at
  }
}

const cutOff = () => new PipelineError('ERR_MODEL_LOAD', 'The compiled model is damaged.')
