import type { BmpHeader } from './bmp-header.ts'
import { inSlices } from './slices.ts'
import { unpackRuns } from './unpack-runs.ts'

// About 2 ms of work.
const PIXELS_A_SLICE = 512 * 1024

/** Writes one row of a file as RGB. */
type RowReader = (row: Uint8Array, rgb: Uint8Array, width: number) => void

/** Decodes to RGB, three bytes per pixel, from the top row to the bottom row. */
export async function decodeBmp(file: Uint8Array, header: BmpHeader): Promise<Uint8Array> {
  const { width, height, topDown } = header
  const unpacked = header.runs ? await unpackRuns(file, header) : file
  const { pixels, rowBytes, bits } = header.runs ? { pixels: 0, rowBytes: width, bits: 8 as const } : header
  const readRow = rowReader({ ...header, bits })
  const rgb = new Uint8Array(width * height * 3)
  await inSlices(height, PIXELS_A_SLICE / width, (top, end) => {
    for (let y = top; y < end; y++) {
      const start = pixels + (topDown ? y : height - 1 - y) * rowBytes
      const row = unpacked.subarray(start, start + rowBytes)
      readRow(row, rgb.subarray(y * width * 3, (y + 1) * width * 3), width)
    }
  })
  return rgb
}

function rowReader({ bits, palette, masks }: BmpHeader): RowReader {
  if (bits === 24) return swapBlueAndRed
  if (bits === 16 || bits === 32) return byMasks(bits, masks)
  return byPalette(bits, palette)
}

function swapBlueAndRed(row: Uint8Array, rgb: Uint8Array): void {
  for (let at = 0; at < rgb.length; at += 3) {
    rgb[at] = row[at + 2] as number
    rgb[at + 1] = row[at + 1] as number
    rgb[at + 2] = row[at] as number
  }
}

function byPalette(bits: 1 | 4 | 8, palette: Uint8Array): RowReader {
  const perByte = 8 / bits
  return (row, rgb, width) => {
    for (let x = 0; x < width; x++) {
      // The first pixel is in the high bits of a byte.
      const shift = 8 - bits * ((x % perByte) + 1)
      const colour = (((row[Math.trunc(x / perByte)] as number) >> shift) & (2 ** bits - 1)) * 4
      rgb[x * 3] = palette[colour + 2] as number
      rgb[x * 3 + 1] = palette[colour + 1] as number
      rgb[x * 3 + 2] = palette[colour] as number
    }
  }
}

function byMasks(bits: 16 | 32, masks: BmpHeader['masks']): RowReader {
  const channels = masks.map(channel)
  return (row, rgb, width) => {
    const view = new DataView(row.buffer, row.byteOffset, row.byteLength)
    for (let x = 0; x < width; x++) {
      const pixel = bits === 16 ? view.getUint16(x * 2, true) : view.getUint32(x * 4, true)
      for (let c = 0; c < 3; c++) rgb[x * 3 + c] = channels[c]?.(pixel) ?? 0
    }
  }
}

/** Reads the bits under the mask and scales them to 0 to 255, as in Pillow. */
function channel(mask: number): (pixel: number) => number {
  const shift = 31 - Math.clz32(mask & -mask)
  const most = mask >>> shift
  return (pixel) => Math.trunc((((pixel >>> shift) & most) * 255) / most)
}
