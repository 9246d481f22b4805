import { exifOrientation } from './exif-orientation.ts'
import { checkCount } from './image-limits.ts'

export interface WebpFrame {
  readonly orientation: number
  /** The first frame alone, without metadata. */
  readonly needed: Uint8Array
}

const RIFF_BYTES = 12
const CHUNK_HEAD = 8
const EXTENDED = 'VP8X'
const FRAME = 'ANMF'
const IMAGE = new Set(['VP8 ', 'VP8L', 'ALPH'])
const EXIF_HEADER = 'Exif\0\0'
// In the flags of VP8X.
const HAS_METADATA = 0x04 | 0x08
const HAS_PROFILE = 0x20
// An animation at 30 frames per second lasts an hour.
const MAX_CHUNKS = 100_000

/**
 * Cuts out the first frame. The decoder looks up each frame of an animation in a list that it walks from the start: 250,000
 * frames in 20 MB take minutes.
 */
export function webpFirstFrame(bytes: Uint8Array, keepProfile: boolean): WebpFrame {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const declared = file.length < RIFF_BYTES ? 0 : CHUNK_HEAD + file.readUInt32LE(4)
  const view = file.subarray(0, Math.max(RIFF_BYTES, declared))
  const parts: Buffer[] = [view.subarray(0, RIFF_BYTES)]
  let orientation = 1
  let hasFrame = false
  let at = RIFF_BYTES
  for (let count = 1; at + CHUNK_HEAD <= view.length; count++) {
    checkCount('webp', 'chunks', count, MAX_CHUNKS)
    const type = view.toString('latin1', at, at + 4)
    const size = view.readUInt32LE(at + 4)
    // Chunks begin at even offsets.
    const end = at + CHUNK_HEAD + size + (size & 1)
    const content = view.subarray(at + CHUNK_HEAD, at + CHUNK_HEAD + size)
    if (type === 'EXIF' && orientation === 1) orientation = exifOrientation(withoutHeader(content))
    const isFirstFrame: boolean = type === FRAME && !hasFrame
    hasFrame ||= isFirstFrame
    const isProfile = keepProfile && type === 'ICCP'
    if (type === EXTENDED) parts.push(withFlags(view.subarray(at, end), keepProfile))
    else if (isFirstFrame || isProfile || IMAGE.has(type) || type === 'ANIM')
      parts.push(view.subarray(at, end))
    at = end
  }
  const needed = Buffer.concat(parts)
  // A file that was cut off must still look so to the decoder.
  const missing = Math.max(0, declared - file.length)
  if (needed.length >= RIFF_BYTES) needed.writeUInt32LE(needed.length - CHUNK_HEAD + missing, 4)
  return { orientation, needed }
}

/** Some programs write the header that EXIF data has in a JPEG. */
function withoutHeader(exif: Buffer): Buffer {
  const hasHeader = exif.toString('latin1', 0, EXIF_HEADER.length) === EXIF_HEADER
  return hasHeader ? exif.subarray(EXIF_HEADER.length) : exif
}

function withFlags(chunk: Buffer, keepProfile: boolean): Buffer {
  const copy = Buffer.from(chunk)
  const flags = copy[CHUNK_HEAD]
  if (flags !== undefined) copy[CHUNK_HEAD] = flags & ~HAS_METADATA & ~(keepProfile ? 0 : HAS_PROFILE)
  return copy
}
