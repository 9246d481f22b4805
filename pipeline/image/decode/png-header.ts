import { exifOrientation } from './exif-orientation.ts'
import { brokenImage, checkCount } from './image-limits.ts'
import { KeptRanges } from './kept-ranges.ts'

export interface PngHeader {
  readonly width: number
  readonly height: number
  readonly bits: number
  readonly grey: boolean
  readonly alpha: boolean
  readonly orientation: number
  /** The file without texts, previews and metadata. */
  readonly needed: Uint8Array
}

const SIGNATURE_BYTES = 8
const IHDR_END = SIGNATURE_BYTES + 8 + 13
/** Length, type and checksum. */
const CHUNK_BYTES = 12
const COLOUR = 2
const ALPHA = 4
// In the first letter of a type: the chunk may be ignored.
const MAY_BE_IGNORED = 0x20
// Libraries write data chunks of 8 KiB or more; a chunk for each row of the highest image is still below the limit.
const MAX_CHUNKS = 100_000

/** Reads the header, which must come first, and the orientation, and finds what a decoder needs. */
export function readPngHeader(bytes: Uint8Array, keepProfile: boolean): PngHeader {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.length < IHDR_END || view.toString('latin1', 12, 16) !== 'IHDR' || view.readUInt32BE(8) !== 13) {
    throw brokenImage('png', 'it does not begin with a header')
  }
  const [width, height] = [view.readUInt32BE(16), view.readUInt32BE(20)]
  if (width === 0 || height === 0) throw brokenImage('png', 'one of its sides is 0')
  const kind = view.readUInt8(25)
  const { exif, needed } = readChunks(view, keepProfile)
  return {
    width,
    height,
    bits: view.readUInt8(24),
    grey: !(kind & COLOUR),
    alpha: (kind & ALPHA) !== 0,
    orientation: exif === undefined ? 1 : exifOrientation(exif),
    needed,
  }
}

function readChunks(view: Buffer, keepProfile: boolean) {
  const kept = new KeptRanges(view)
  kept.add(0, SIGNATURE_BYTES)
  let exif: Uint8Array | undefined
  let hasData = false
  let at = SIGNATURE_BYTES
  for (let count = 1; at + CHUNK_BYTES <= view.length; count++) {
    checkCount('png', 'chunks', count, MAX_CHUNKS)
    const type = view.toString('latin1', at + 4, at + 8)
    const end = at + CHUNK_BYTES + view.readUInt32BE(at)
    if (end > view.length) break
    hasData ||= type === 'IDAT'
    // Decoders read the EXIF data only if it comes before the image data.
    if (type === 'eXIf' && !hasData) exif ??= view.subarray(at + 8, end - 4)
    const mayBeIgnored = (view.readUInt8(at + 4) & MAY_BE_IGNORED) !== 0
    if (!mayBeIgnored || type === 'tRNS' || (keepProfile && type === 'iCCP')) kept.add(at, end)
    at = end
    if (type === 'IEND') return { exif, needed: kept.joined() }
  }
  kept.add(at, view.length)
  return { exif, needed: kept.joined() }
}
