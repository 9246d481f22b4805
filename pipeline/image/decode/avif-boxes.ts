import { brokenImage, checkCount, checkSize } from './image-limits.ts'

interface Box {
  readonly type: string
  readonly start: number
  readonly end: number
}

type Size = { readonly width: number; readonly height: number }

const HEAD_BYTES = 8
const LONG_HEAD_BYTES = 16
const FULL_BOX_BYTES = 4
// Colour, transparency, and a smaller picture or a map beside them.
const MAX_COVERINGS = 3
// Metadata may repeat a part of the image data. Each item is copied into memory, however many share their bytes.
const MAX_REPEATS = 2

/**
 * Adds up what the boxes of an AVIF make a decoder do. A picture can consist of 255 tiles that are one and the same huge
 * one, and 250 items of metadata can be the same megabytes. The sizes of all pictures are checked here also because libvips
 * reads sizes as signed numbers and prints a line on stderr for each bad one before it refuses the image.
 */
export function checkAvif(bytes: Uint8Array, maxPixels: number): void {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  try {
    checkBoxes(view, maxPixels)
  } catch (error) {
    if (error instanceof RangeError) throw brokenImage('avif', 'its boxes are damaged or cut off', error)
    throw error
  }
}

function checkBoxes(view: Buffer, maxPixels: number): void {
  for (const meta of boxes(view, 0, view.length)) {
    if (meta.type !== 'meta') continue
    const inside = [...boxes(view, meta.start + FULL_BOX_BYTES, meta.end)]
    const find = (type: string) => inside.filter((box) => box.type === type)
    const sizes = find('iprp').flatMap((box) => [...sizesOfItems(view, box, maxPixels)])
    const sizeOf = new Map(sizes)
    const repeated = find('iref').flatMap((box) => [...derivedFrom(view, box)])
    const pixels = [...sizeOf.values(), ...repeated.map((id) => sizeOf.get(id) ?? { width: 0, height: 0 })]
    const total = pixels.reduce((sum, { width, height }) => sum + width * height, 0)
    checkCount('avif', 'pixels in all its pictures and tiles', total, MAX_COVERINGS * maxPixels)
    const copied = find('iloc').reduce((sum, box) => sum + bytesOfItems(view, box), 0)
    checkCount('avif', 'bytes in all its items', copied, MAX_REPEATS * view.length)
  }
}

/** The number of each item that has a size, and that size. */
function* sizesOfItems(view: Buffer, iprp: Box, maxPixels: number): Generator<[number, Size]> {
  const inside = [...boxes(view, iprp.start, iprp.end)]
  const properties = inside
    .filter(({ type }) => type === 'ipco')
    .flatMap((box) => [...boxes(view, box.start, box.end)])
  const sizes = properties.map(({ type, start }) => {
    if (type !== 'ispe') return undefined
    const size = { width: view.readUInt32BE(start + 4), height: view.readUInt32BE(start + 8) }
    checkSize(size.width, size.height, maxPixels)
    return size
  })
  for (const { start } of inside.filter(({ type }) => type === 'ipma')) {
    const version = view.readUInt8(start)
    const isWide = (view.readUInt8(start + 3) & 1) !== 0
    let at = start + 8
    for (let left = view.readUInt32BE(start + 4); left > 0; left--) {
      const id = version < 1 ? view.readUInt16BE(at) : view.readUInt32BE(at)
      at += version < 1 ? 2 : 4
      for (let properties = view.readUInt8(at++); properties > 0; properties--) {
        const index = isWide ? view.readUInt16BE(at) & 0x7fff : view.readUInt8(at) & 0x7f
        at += isWide ? 2 : 1
        const size = sizes[index - 1]
        if (size) yield [id, size]
      }
    }
  }
}

/** The number of each item that another picture is made of, as often as it is used. */
function* derivedFrom(view: Buffer, iref: Box): Generator<number> {
  const idBytes = view.readUInt8(iref.start) === 0 ? 2 : 4
  for (const { type, start } of boxes(view, iref.start + FULL_BOX_BYTES, iref.end)) {
    if (type !== 'dimg') continue
    const count = view.readUInt16BE(start + idBytes)
    for (let i = 1; i <= count; i++) yield view.readUIntBE(start + 2 + i * idBytes, idBytes)
  }
}

/** The bytes of all items together; an item is made of extents. */
function bytesOfItems(view: Buffer, iloc: Box): number {
  const version = view.readUInt8(iloc.start)
  const [sizes, more] = [view.readUInt8(iloc.start + 4), view.readUInt8(iloc.start + 5)]
  const [offsetBytes, lengthBytes, baseBytes] = [sizes >> 4, sizes & 15, more >> 4]
  const indexBytes = version === 0 ? 0 : more & 15
  const isWide = version >= 2
  let at = iloc.start + 6
  let count = isWide ? view.readUInt32BE(at) : view.readUInt16BE(at)
  at += isWide ? 4 : 2
  let bytes = 0
  for (; count > 0; count--) {
    at += (isWide ? 4 : 2) + (version === 0 ? 0 : 2) + 2 + baseBytes
    const extents = view.readUInt16BE(at)
    at += 2
    for (let i = 0; i < extents; i++) {
      at += indexBytes + offsetBytes
      // Without a length, an extent is the whole file.
      bytes += (lengthBytes === 0 ? 0 : wholeNumber(view, at, lengthBytes)) || view.length
      at += lengthBytes
    }
  }
  return bytes
}

function wholeNumber(view: Buffer, at: number, bytes: number): number {
  return bytes === 8 ? Number(view.readBigUInt64BE(at)) : view.readUIntBE(at, bytes)
}

/** A size of 0 reaches to the end, a size of 1 is written in 64 bits behind the type. */
function* boxes(view: Buffer, from: number, end: number): Generator<Box> {
  for (let at = from; at + HEAD_BYTES <= end; ) {
    const declared = view.readUInt32BE(at)
    const long = declared === 1
    const size = long ? Number(view.readBigUInt64BE(at + HEAD_BYTES)) : declared || end - at
    const head = long ? LONG_HEAD_BYTES : HEAD_BYTES
    if (size < head) throw new RangeError(`a box of ${size} bytes`)
    const next = at + size
    yield { type: view.toString('latin1', at + 4, at + 8), start: at + head, end: Math.min(next, end) }
    at = next
  }
}
