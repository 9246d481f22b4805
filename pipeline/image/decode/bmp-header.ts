import { brokenImage } from './image-limits.ts'
import { notRead } from './image-type.ts'

export interface BmpHeader {
  readonly width: number
  readonly height: number
  readonly topDown: boolean
  /** Whether the pixels are run-length coded. */
  readonly runs: boolean
  readonly bits: 1 | 4 | 8 | 16 | 24 | 32
  /** Blue, green, red and an unused byte for each of the 2 ** bits colours; empty if pixels contain their colour. */
  readonly palette: Uint8Array
  /** The bits of red, green and blue in a pixel of 16 or 32 bits. */
  readonly masks: readonly [number, number, number]
  /** The offset of the first row; `rowBytes` is the distance from row to row. */
  readonly pixels: number
  readonly rowBytes: number
  /** The length that the file must have at least. */
  readonly neededBytes: number
}

const FILE_HEADER_BYTES = 14
const CORE_HEADER_BYTES = 12
const INFO_HEADER_BYTES = 40
const HEADER_BYTES = new Set([CORE_HEADER_BYTES, INFO_HEADER_BYTES, 52, 56, 64, 108, 124])
const BITS = [1, 4, 8, 16, 24, 32] as const
const NOT_COMPRESSED = 0
const BIT_FIELDS = 3
/** The run-length codes, and the bits of a pixel that each is for. */
const RUNS: Readonly<Record<number, number>> = { 1: 8, 2: 4 }
const OTHER_COMPRESSIONS: Readonly<Record<number, string>> = { 4: 'a JPEG inside', 5: 'a PNG inside' }
const MASKS = { 15: [0x7c00, 0x03e0, 0x001f], 24: [0xff0000, 0x00ff00, 0x0000ff] } as const

/** Reads the header of a BMP and checks each field against the file, because the decoder trusts all of them. */
export function bmpHeader(bytes: Uint8Array): BmpHeader {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const size = file.length < FILE_HEADER_BYTES + 4 ? 0 : file.readUInt32LE(FILE_HEADER_BYTES)
  const headerEnd = FILE_HEADER_BYTES + size
  if (!HEADER_BYTES.has(size)) throw broken(`the size of its header is unknown (${size} bytes)`)
  if (headerEnd > file.length) throw truncated(headerEnd, file)
  const core = size === CORE_HEADER_BYTES
  const width = core ? file.readUInt16LE(18) : file.readInt32LE(18)
  const height = core ? file.readUInt16LE(20) : file.readInt32LE(22)
  const declared = file.readUInt16LE(core ? 24 : 28)
  const bits = BITS.find((known) => known === declared)
  const compression = core ? NOT_COMPRESSED : file.readUInt32LE(30)
  const runs = RUNS[compression] !== undefined
  if (width <= 0 || height === 0) throw broken(`it declares ${width} × ${height} pixels`)
  if (bits === undefined) throw broken(`it declares ${declared} bits for a pixel`)
  if (runs && RUNS[compression] !== bits) {
    throw broken(`its run-length code is for ${RUNS[compression]} bits for a pixel, but it declares ${bits}`)
  }
  if (!runs && compression !== NOT_COMPRESSED && compression !== BIT_FIELDS) {
    const what = OTHER_COMPRESSIONS[compression] ?? `an unknown compression (${compression})`
    throw notRead(`a BMP image with ${what}`)
  }
  const masks = readMasks(file, bits, compression === BIT_FIELDS)
  const colours = core ? 0 : file.readUInt32LE(46)
  const palette = readPalette(file, headerEnd, bits, core ? 3 : 4, colours)
  const masksEnd = headerEnd + (compression === BIT_FIELDS && size === INFO_HEADER_BYTES ? 12 : 0)
  const rowBytes = Math.ceil((width * bits) / 32) * 4
  const pixels = pixelsStart(file, headerEnd, masksEnd, palette.bytes)
  const rows = Math.abs(height)
  return {
    width,
    height: rows,
    topDown: height < 0,
    runs,
    bits,
    palette: palette.colours,
    masks,
    pixels,
    rowBytes,
    // Some programs leave out the padding of the last row. The length of runs shows only when they are read.
    neededBytes: runs ? pixels : pixels + rowBytes * (rows - 1) + Math.ceil((width * bits) / 8),
  }
}

function pixelsStart(file: Buffer, headerEnd: number, masksEnd: number, paletteBytes: number): number {
  const declared = file.readUInt32LE(10)
  // Some programs forget the palette here and give the offset of the palette as the offset of the pixels.
  if (declared === 0 || declared === headerEnd) return masksEnd + paletteBytes
  if (declared < headerEnd) throw broken(`its pixels begin inside its header, at byte ${declared}`)
  return declared
}

function readPalette(file: Buffer, start: number, bits: number, entryBytes: number, declared: number) {
  if (bits > 8) return { colours: new Uint8Array(0), bytes: 0 }
  const most = 2 ** bits
  const count = declared === 0 ? most : declared
  if (count > 256) throw broken(`it declares a palette of ${count} colours`)
  const bytes = count * entryBytes
  if (start + bytes > file.length) throw truncated(start + bytes, file)
  const colours = new Uint8Array(most * 4)
  for (let i = 0; i < most; i++) {
    // A colour that the palette lacks is black, as in Pillow.
    if (i < count) file.copy(colours, i * 4, start + i * entryBytes, start + i * entryBytes + 3)
  }
  return { colours, bytes }
}

function readMasks(file: Buffer, bits: number, given: boolean): readonly [number, number, number] {
  const usual = bits === 16 ? MASKS[15] : MASKS[24]
  if (!given) return usual
  if (file.length < 66) throw truncated(66, file)
  const masks = [file.readUInt32LE(54), file.readUInt32LE(58), file.readUInt32LE(62)] as const
  if (bits === 32 && masks.every((mask) => mask === 0)) return usual
  if (bits === 32 && masks.every(isByte) && new Set(masks).size === 3) return masks
  if (masks.every((mask, i) => mask === usual[i])) return masks
  if (bits === 16 && masks[0] === 0xf800 && masks[1] === 0x07e0 && masks[2] === 0x001f) return masks
  const text = masks.map((mask) => mask.toString(16)).join(', ')
  throw notRead(`a BMP image of ${bits} bits for a pixel with the bit fields ${text}`)
}

function isByte(mask: number): boolean {
  return mask === 0xff || mask === 0xff00 || mask === 0xff0000 || mask === 0xff000000
}

function truncated(needed: number, file: Buffer) {
  return broken(`it needs ${needed} bytes and has ${file.length}`)
}

function broken(what: string) {
  return brokenImage('bmp', what)
}
