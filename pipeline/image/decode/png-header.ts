import { brokenImage } from './image-limits.ts'

export interface PngHeader {
  readonly width: number
  readonly height: number
  readonly bits: number
  readonly grey: boolean
  readonly alpha: boolean
}

const IHDR_END = 8 + 8 + 13
const COLOUR = 2
const ALPHA = 4

/** Reads the first chunk of a PNG, which must be the header. */
export function readPngHeader(bytes: Uint8Array): PngHeader {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.length < IHDR_END || view.toString('latin1', 12, 16) !== 'IHDR' || view.readUInt32BE(8) !== 13) {
    throw brokenImage('png', 'it does not begin with a header')
  }
  const [width, height] = [view.readUInt32BE(16), view.readUInt32BE(20)]
  if (width === 0 || height === 0) throw brokenImage('png', 'one of its sides is 0')
  const kind = view.readUInt8(25)
  return { width, height, bits: view.readUInt8(24), grey: !(kind & COLOUR), alpha: (kind & ALPHA) !== 0 }
}
