import { checkCount } from './image-limits.ts'

const START_OF_SCAN = 0xda
const END_OF_IMAGE = 0xd9
const SCAN_BYTES = Buffer.of(0xff, START_OF_SCAN)
// Encoders write 10 to 20 scans, and no more than about 100.
const MAX_SCANS = 200
// A scan visits each pixel, however few bytes it has: 50 megapixels in 30 scans, or 12 megapixels in 125. Measured: 1 s.
const MAX_SCANNED_PIXELS = 1_500_000_000

/** Counts the scans of a JPEG from `start`, where the first one begins. The decoder reads them all before the first row. */
export function checkScans(
  view: Buffer,
  start: number,
  { width, height, components }: { width: number; height: number; components: number },
  progressive: boolean,
): void {
  const first = nextMarker(view, start)
  // A scan of all components is the only one of a JPEG that is not progressive: the decoder stops behind it.
  const hasAll = view[first + 1] === START_OF_SCAN && (view[first + 4] ?? 0) >= components
  if (hasAll && !progressive) return
  const most = Math.min(MAX_SCANS, Math.max(1, Math.floor(MAX_SCANNED_PIXELS / (width * height))))
  if (hasAtMost(view, first, most)) return
  let scans = 0
  for (let at = first; at < view.length; at = nextMarker(view, at)) {
    const marker = view[at + 1]
    if (marker === END_OF_IMAGE) return
    if (marker === START_OF_SCAN) checkCount('jpeg', `scans of ${width} × ${height} pixels`, ++scans, most)
    at += 2 + (at + 4 <= view.length ? view.readUInt16BE(at + 2) : 2)
  }
}

/** A fast search that may count too much: the bytes of a scan's marker, in segments and behind the image, too. */
function hasAtMost(view: Buffer, start: number, most: number): boolean {
  let scans = 0
  for (let at = view.indexOf(SCAN_BYTES, start); at >= 0; at = view.indexOf(SCAN_BYTES, at + 2)) {
    if (++scans > most) return false
  }
  return true
}

/** The offset of the next marker that has a length, or of the end of the image. */
function nextMarker(view: Buffer, start: number): number {
  for (let at = start; at + 1 < view.length; at++) {
    if (view[at] !== 0xff) continue
    const marker = view[at + 1] ?? 0
    const isMarker = marker > 0x01 && marker !== 0xff && (marker < 0xd0 || marker > 0xd8)
    if (isMarker) return at
  }
  return view.length
}
