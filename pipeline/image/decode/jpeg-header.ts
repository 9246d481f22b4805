import { exifOrientation } from './exif-orientation.ts'
import { brokenImage } from './image-limits.ts'

export interface JpegHeader {
  readonly width: number
  readonly height: number
  /** 1: grey, 3: colour, 4: CMYK. */
  readonly components: number
  readonly orientation: number
}

const START_OF_SCAN = 0xda
const END_OF_IMAGE = 0xd9
const APP1 = 0xe1
// Markers in the range of the frame headers that are none: Huffman tables, reserved, arithmetic coding.
const NO_FRAME = new Set([0xc4, 0xc8, 0xcc])
const EXIF_HEADER = 'Exif\0\0'

/**
 * Reads the segments before the first scan. The decoder could tell the same, but from another thread: a second round trip
 * for each image, which would have to wait for a running prediction.
 */
export function readJpegHeader(bytes: Uint8Array): JpegHeader {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let frame: Pick<JpegHeader, 'width' | 'height' | 'components'> | undefined
  let exif: Uint8Array | undefined
  for (const { marker, start, end } of segments(view)) {
    if (isFrame(marker) && end - start >= 6) {
      frame ??= {
        height: view.readUInt16BE(start + 1),
        width: view.readUInt16BE(start + 3),
        components: view.readUInt8(start + 5),
      }
    }
    if (marker === APP1 && view.toString('latin1', start, start + EXIF_HEADER.length) === EXIF_HEADER) {
      exif ??= bytes.subarray(start + EXIF_HEADER.length, end)
    }
  }
  if (frame === undefined) throw brokenImage('jpeg', 'it ends before its size is declared')
  if (frame.width === 0 || frame.height === 0) throw brokenImage('jpeg', 'one of its sides is 0')
  return { ...frame, orientation: exif === undefined ? 1 : exifOrientation(exif) }
}

function* segments(view: Buffer): Generator<{ marker: number; start: number; end: number }> {
  let at = 2
  while (at < view.length) {
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
