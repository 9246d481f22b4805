import { exifOrientation } from './exif-orientation.ts'
import { brokenImage, checkCount } from './image-limits.ts'
import { checkScans } from './jpeg-scans.ts'
import { KeptRanges } from './kept-ranges.ts'

export interface JpegHeader {
  readonly width: number
  readonly height: number
  /** 1: grey, 3: colour, 4: CMYK. */
  readonly components: number
  readonly orientation: number
  /** The file without metadata. */
  readonly needed: Uint8Array
}

const START_OF_SCAN = 0xda
const END_OF_IMAGE = 0xd9
const APP0 = 0xe0
const APP1 = 0xe1
const APP2 = 0xe2
const APP14 = 0xee
const APP15 = 0xef
const COMMENT = 0xfe
// Markers in the range of the frame headers that are none: Huffman tables, reserved, arithmetic coding.
const NO_FRAME = new Set([0xc4, 0xc8, 0xcc])
// The first frames of files with several scans by definition: progressive, with Huffman or arithmetic coding.
const PROGRESSIVE = new Set([0xc2, 0xca])
const EXIF_HEADER = 'Exif\0\0'
const PROFILE_HEADER = 'ICC_PROFILE\0'
// A colour profile takes up to 255 segments, a preview of a camera about as many. Bytes between segments count, too.
const MAX_SEGMENTS = 4096

/**
 * Reads the segments before the first scan, and counts the scans. The decoder could tell the same, but from another
 * thread: a second round trip for each image, which would have to wait for a running prediction. `keepProfile`: the colour
 * profile is needed.
 */
export function readJpegHeader(bytes: Uint8Array, keepProfile: boolean): JpegHeader {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const kept = new KeptRanges(bytes)
  kept.add(0, 2)
  let frame: Pick<JpegHeader, 'width' | 'height' | 'components'> | undefined
  let progressive = false
  let exif: Uint8Array | undefined
  let at = 2
  for (const { marker, start, end } of segments(view)) {
    if (isFrame(marker) && end - start >= 6) {
      progressive ||= PROGRESSIVE.has(marker)
      frame ??= {
        height: view.readUInt16BE(start + 1),
        width: view.readUInt16BE(start + 3),
        components: view.readUInt8(start + 5),
      }
    }
    if (marker === APP1 && begins(view, start, end, EXIF_HEADER)) {
      exif ??= bytes.subarray(start + EXIF_HEADER.length, end)
    }
    const isNeeded = !isMetadata(marker) || (keepProfile && isProfile(view, marker, start, end))
    if (isNeeded) kept.add(at, end)
    at = end
  }
  kept.add(at, view.length)
  if (frame === undefined) throw brokenImage('jpeg', 'it ends before its size is declared')
  if (frame.width === 0 || frame.height === 0) throw brokenImage('jpeg', 'one of its sides is 0')
  checkScans(view, at, frame, progressive)
  return { ...frame, orientation: exif === undefined ? 1 : exifOrientation(exif), needed: kept.joined() }
}

function* segments(view: Buffer): Generator<{ marker: number; start: number; end: number }> {
  let at = 2
  for (let steps = 1; at < view.length; steps++) {
    checkCount('jpeg', 'segments', steps, MAX_SEGMENTS)
    // There may be fill bytes between segments, and any bytes in a damaged file that can still be decoded.
    const mark = view.indexOf(0xff, at)
    if (mark < 0) return
    const marker = view[mark + 1] ?? 0xff
    at = mark + 1
    if (marker === 0xff) continue
    at++
    // These markers have no length and no content.
    if (marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd8)) continue
    if (marker === START_OF_SCAN || marker === END_OF_IMAGE) return
    if (at + 2 > view.length) return
    const end = at + view.readUInt16BE(at)
    if (end < at + 2 || end > view.length) return
    yield { marker, start: at + 2, end }
    at = end
  }
}

function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && !NO_FRAME.has(marker)
}

/** JFIF and Adobe's marker say how colours are stored; a decoder must see both. */
function isMetadata(marker: number): boolean {
  return marker === COMMENT || (marker > APP0 && marker <= APP15 && marker !== APP14)
}

function isProfile(view: Buffer, marker: number, start: number, end: number): boolean {
  return marker === APP2 && begins(view, start, end, PROFILE_HEADER)
}

function begins(view: Buffer, start: number, end: number, text: string): boolean {
  return start + text.length <= end && view.toString('latin1', start, start + text.length) === text
}
