import type { BmpHeader } from './bmp-header.ts'
import { brokenImage } from './image-limits.ts'

// About 2 ms of work.
const RUNS_A_SLICE = 64 * 1024
const END_OF_ROW = 0
const END_OF_IMAGE = 1
const MOVE = 2

/**
 * The indices of a run-length coded BMP: one byte per pixel, rows in the order of the file. A pixel that the file skips
 * has index 0, and pixels beyond the end of a row are dropped, as in Pillow.
 */
export async function unpackRuns(
  file: Uint8Array,
  { width, height, bits, pixels }: BmpHeader,
): Promise<Uint8Array> {
  const indices = new Uint8Array(width * height)
  let at = pixels
  let x = 0
  let y = 0
  const put = (index: number) => {
    if (x < width) indices[y * width + x] = index
    x++
  }
  const nibble = (byte: number, i: number) => (i % 2 === 0 ? byte >> 4 : byte & 15)
  for (let runs = 1; y < height; runs++) {
    if (runs % RUNS_A_SLICE === 0) await new Promise((resolve) => setImmediate(resolve))
    const count = byteAt(file, at)
    const value = byteAt(file, at + 1)
    at += 2
    if (count > 0) {
      for (let i = 0; i < count; i++) put(bits === 4 ? nibble(value, i) : value)
    } else if (value === END_OF_IMAGE) {
      break
    } else if (value === END_OF_ROW) {
      x = 0
      y++
    } else if (value === MOVE) {
      x += byteAt(file, at)
      y += byteAt(file, at + 1)
      at += 2
    } else {
      // Pixels one by one, filled up to an even number of bytes.
      for (let i = 0; i < value; i++) {
        put(bits === 4 ? nibble(byteAt(file, at + (i >> 1)), i) : byteAt(file, at + i))
      }
      const bytes = bits === 4 ? Math.ceil(value / 2) : value
      at += bytes + (bytes % 2)
    }
    // Some programs write neither an end of the last row nor an end of the image.
    if (at >= file.length && y === height - 1 && x >= width) break
  }
  return indices
}

function byteAt(file: Uint8Array, at: number): number {
  const byte = file[at]
  if (byte === undefined) throw brokenImage('bmp', `its pixels end in the middle, at byte ${file.length}`)
  return byte
}
