import { number } from './format.ts'
import { type Part, partsFormat } from './parts.ts'

const BODY = 'body'
const TAGS = [
  254, 256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 317, 320, 322, 323, 324, 325, 338, 339,
  347, 34675,
]

interface Form {
  readonly order: 'LE' | 'BE'
  readonly isBig: boolean
  readonly wordBytes: number
  readonly countBytes: number
  readonly entryBytes: number
}

/** TIFF: the entries of the first directory. The directory moves to the end of the file, so that offsets stay right. */
export const tiff = partsFormat({
  name: 'TIFF',
  names: TAGS.map(String),
  matches: (file) => /^(II[*+]\0|MM\0[*+])/.test(file.toString('latin1', 0, 4)),
  split(file) {
    const { order, isBig, wordBytes, countBytes, entryBytes } = formOf(file)
    const directory = number(file, offsetAt(order, isBig), 4, order)
    const count = number(file, directory + (isBig && order === 'BE' ? 6 : 0), 2, order)
    const parts: Part[] = [{ name: BODY, data: file }]
    for (let i = 0; i < count; i++) {
      const at = directory + countBytes + i * entryBytes
      if (at + entryBytes + wordBytes > file.length) break
      parts.push({ name: String(number(file, at, 2, order)), data: file.subarray(at + 2, at + entryBytes) })
    }
    return parts
  },
  join(parts) {
    const file = parts.find(({ name }) => name === BODY)?.data ?? Buffer.alloc(0)
    // A directory begins at an even offset.
    const body = Buffer.concat([file, Buffer.alloc(file.length & 1)])
    const form = formOf(body)
    const entries = parts.filter(({ name }) => name !== BODY).map((part) => entry(part, form))
    const joined = Buffer.concat([
      body,
      uint(entries.length, form.countBytes, form.order),
      ...entries,
      Buffer.alloc(form.wordBytes),
    ])
    const offset = uint(body.length, form.wordBytes, form.order)
    if (body.length >= 16) offset.copy(joined, form.isBig ? 8 : 4)
    return joined
  },
})

function entry({ name, data }: Part, { order, entryBytes }: Form): Buffer {
  const bytes = Buffer.alloc(entryBytes)
  uint(Number(name) & 0xffff, 2, order).copy(bytes)
  data.copy(bytes, 2)
  return bytes
}

/** Of the lower half of the offset. */
function offsetAt(order: 'LE' | 'BE', isBig: boolean): number {
  if (!isBig) return 4
  return order === 'LE' ? 8 : 12
}

function uint(value: number, size: number, order: 'LE' | 'BE'): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  const own = bytes.subarray(0, size)
  return order === 'LE' ? own : own.reverse()
}

function formOf(file: Buffer): Form {
  const order = file[0] === 0x4d ? 'BE' : 'LE'
  const isBig = number(file, 2, 2, order) === 43
  return isBig
    ? { order, isBig, wordBytes: 8, countBytes: 8, entryBytes: 20 }
    : { order, isBig, wordBytes: 4, countBytes: 2, entryBytes: 12 }
}
