/** One field of a message of protocol buffers: a scalar type, or the name of another message. */
export interface Field {
  readonly type: string
  readonly id: number
  readonly rule?: string
}

/** The messages of a format by name, each with its fields. */
export type Messages = Readonly<Record<string, { readonly fields: Readonly<Record<string, Field>> }>>

const VARINT = 0
const LENGTH_DELIMITED = 2
const FOUR_BYTES = 5

/** Encodes a message as protocol buffers do, fields in the order of the table. Absent fields are left out. */
export function encodeMessage(messages: Messages, type: string, content: object): Buffer {
  const parts: Uint8Array[] = []
  const values: Readonly<Record<string, unknown>> = { ...content }
  for (const [name, field] of Object.entries(messages[type]?.fields ?? {})) {
    const value = values[name]
    if (value === undefined) continue
    for (const one of field.rule === 'repeated' ? (value as unknown[]) : [value]) {
      parts.push(...encodeField(messages, field, one))
    }
  }
  return Buffer.concat(parts)
}

function encodeField(messages: Messages, { type, id }: Field, value: unknown): readonly Uint8Array[] {
  switch (type) {
    case 'int32':
    case 'int64':
      return [tag(id, VARINT), varint(value as number)]
    case 'float':
      return [tag(id, FOUR_BYTES), float(value as number)]
    case 'string':
      return delimited(id, Buffer.from(value as string))
    case 'bytes':
      return delimited(id, value as Uint8Array)
    default:
      return delimited(id, encodeMessage(messages, type, value as object))
  }
}

function delimited(id: number, bytes: Uint8Array): readonly Uint8Array[] {
  return [tag(id, LENGTH_DELIMITED), varint(bytes.length), bytes]
}

function tag(id: number, wireType: number): Uint8Array {
  return varint(id * 8 + wireType)
}

/** Seven bits per byte, the lowest first. A negative number is written as the 64 bits of its two's complement. */
function varint(value: number): Uint8Array {
  if (!Number.isSafeInteger(value))
    throw new RangeError(`${value} is no whole number that can be written exactly.`)
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  bytes.push(Number(rest))
  return Uint8Array.from(bytes)
}

function float(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeFloatLE(value)
  return bytes
}
