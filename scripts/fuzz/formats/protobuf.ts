import { type Part, partsFormat } from './parts.ts'

const MAX_DEPTH = 6
const BYTES = 2
/** The bytes of the other wire types: a number of any length is -1. */
const FIXED: Readonly<Record<number, number>> = { 0: -1, 1: 8, 5: 4 }

/** A protobuf message, such as an ONNX model: fields with lengths, inside of fields. */
export const protobuf = partsFormat({
  name: 'protobuf',
  // "field:wire type", the fields of a model and some that it does not have.
  names: [
    '1:0',
    '1:2',
    '2:2',
    '7:2',
    '8:2',
    '14:2',
    '20:2',
    '25:2',
    '3:5',
    '4:1',
    '99:2',
    '7:0',
    '536870911:2',
  ],
  matches: (file) => file[0] === 0x08 && fieldsIn(file, 0) !== undefined,
  split: (file) => fieldsIn(file, 0) ?? [{ name: '', data: file }],
  join,
})

/** The fields, if the bytes are a message to their end. */
function fieldsIn(bytes: Buffer, depth: number): Part[] | undefined {
  const parts: Part[] = []
  for (let at = 0; at < bytes.length; ) {
    const [tag, afterTag] = varint(bytes, at)
    const kind = tag & 7
    const field = Math.floor(tag / 8)
    if (afterTag === 0 || field === 0) return undefined
    const fixed = FIXED[kind]
    const [value, afterValue] = fixed === undefined || fixed < 0 ? varint(bytes, afterTag) : [fixed, afterTag]
    if (afterValue === 0 || (kind !== BYTES && fixed === undefined)) return undefined
    const start = kind === 0 ? afterTag : afterValue
    const end = kind === 0 ? afterValue : afterValue + value
    if (end > bytes.length) return undefined
    const data = bytes.subarray(start, end)
    const inner =
      kind === BYTES && depth < MAX_DEPTH && data.length > 1 ? fieldsIn(data, depth + 1) : undefined
    const name = `${field}:${kind}`
    parts.push(inner === undefined ? { name, data } : { name, data: Buffer.alloc(0), parts: inner })
    at = end
  }
  return parts
}

function join(parts: readonly Part[]): Buffer {
  return Buffer.concat(
    parts.flatMap(({ name, data, parts }) => {
      if (name === '') return [data]
      const [field = 1, kind = 0] = name.split(':').map(Number)
      const content = Buffer.concat([data, join(parts ?? [])])
      return [written(field * 8 + kind), ...(kind === BYTES ? [written(content.length)] : []), content]
    }),
  )
}

function varint(bytes: Buffer, start: number): [value: number, end: number] {
  let value = 0
  for (let i = 0; i < 10; i++) {
    const byte = bytes[start + i]
    if (byte === undefined) break
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return [value, start + i + 1]
  }
  return [0, 0]
}

function written(value: number): Buffer {
  const bytes: number[] = []
  let left = value
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) + 0x80)
  return Buffer.from([...bytes, left])
}
