import { type FileWindow, readBytes } from './file-window.ts'
import { loadError } from './model-file-error.ts'

/** One field of a message in the wire format of protocol buffers. */
export interface WireField {
  readonly number: number
  /** 0: a number; 2: bytes, a text or an inner message. Fields of other kinds have no content here. */
  readonly kind: number
  readonly value: number
  /** The position of the content; empty unless the kind is 2. */
  readonly start: number
  readonly end: number
}

const BLOCK_BYTES = 64 * 1024
/** The length of a number, in bytes of seven bits. */
const MAX_VARINT_BYTES = 10

/** Reads a file in blocks, so that many small reads make few system calls. */
export class BlockReader {
  readonly #window: FileWindow
  #block: Buffer = Buffer.alloc(0)
  #start = 0

  constructor(window: FileWindow) {
    this.#window = window
  }

  get size(): number {
    return this.#window.size
  }

  get name(): string {
    return this.#window.name
  }

  byte(position: number): number | undefined {
    const at = position - this.#start
    if (at >= 0 && at < this.#block.length) return this.#block[at]
    if (position >= this.#window.size) return undefined
    this.#block = readBytes(this.#window, position, BLOCK_BYTES)
    this.#start = position
    return this.#block[0]
  }

  bytes(start: number, end: number): Buffer {
    const at = start - this.#start
    // A copy: a short text must not keep the whole block in memory.
    if (at >= 0 && end - this.#start <= this.#block.length)
      return Buffer.from(this.#block.subarray(at, at + end - start))
    return readBytes(this.#window, start, end - start)
  }
}

/** The fields between two positions, in their order. Throws where the bytes are no fields. */
export function* wireFields(reader: BlockReader, start: number, end: number): Generator<WireField> {
  let position = start
  while (position < end) {
    const [tag, afterTag] = varint(reader, position)
    const [number, kind] = [Math.floor(tag / 8), tag % 8]
    if (kind === 0 || kind === 2) {
      const [value, afterValue] = varint(reader, afterTag)
      const next = kind === 2 ? afterValue + value : afterValue
      // A negative length would lead back, for ever.
      if (next < afterValue || next > end) throw broken(reader, position)
      yield { number, kind, value, start: afterValue, end: next }
      position = next
    } else if (kind === 1 || kind === 5) {
      position = afterTag + (kind === 1 ? 8 : 4)
      yield { number, kind, value: 0, start: afterTag, end: position }
    } else throw broken(reader, position)
  }
  if (position !== end) throw broken(reader, position)
}

/** The first numbers of a repeated field, which may be packed into one field. */
export function numbersIn(
  reader: BlockReader,
  { kind, value, start, end }: WireField,
  most: number,
): number[] {
  if (kind !== 2) return [value]
  const numbers: number[] = []
  for (let position = start; position < end && numbers.length < most; ) {
    const [number, next] = varint(reader, position)
    numbers.push(number)
    position = next
  }
  return numbers
}

export function textIn(reader: BlockReader, { start, end }: WireField): string {
  return reader.bytes(start, end).toString('utf8')
}

function varint(reader: BlockReader, start: number): [value: number, end: number] {
  let value = 0
  for (let i = 0; i < MAX_VARINT_BYTES; i++) {
    const byte = reader.byte(start + i)
    if (byte === undefined) break
    value += (byte & 0x7f) * 2 ** (7 * i)
    // A negative number has ten bytes; the double above is rounded, and only its sign matters here.
    if (byte < 0x80) return [value >= 2 ** 63 ? value - 2 ** 64 : value, start + i + 1]
  }
  throw broken(reader, start)
}

function broken({ name }: BlockReader, position: number): Error {
  return loadError(`${name} is cut off or damaged at byte ${position}.`)
}
