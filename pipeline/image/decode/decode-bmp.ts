import type { BmpHeader } from './bmp-header.ts'
import { brokenImage } from './image-limits.ts'
import { inSlices } from './slices.ts'

// jimp runs on the event loop and takes about 50 ns per pixel: 4 ms per band.
const PIXELS_A_BAND = 64 * 1024
const HEADER_BYTES = 54

/**
 * Decodes to RGB, three bytes per pixel. jimp gets the image in bands of rows, each a BMP with a header written here. So
 * a large image does not block the event loop or take four bytes per pixel, no number in the file reaches jimp, and jimp
 * never gets what it reads wrongly: a gap before the pixels, four bits with an odd width, 16 bits.
 */
export async function decodeBmp(file: Uint8Array, header: BmpHeader): Promise<Uint8Array> {
  // Loaded with the first BMP: loading jimp takes a quarter of a second, and most services never get a BMP.
  const { Jimp } = await import('jimp')
  const { width, height, rowBytes, topDown } = header
  const rgb = new Uint8Array(width * height * 3)
  await inSlices(height, PIXELS_A_BAND / width, async (top, end) => {
    const band = bandHeader(header, end - top)
    for (let i = 0; i < band.rows; i++) {
      const row = topDown ? top + i : height - 1 - top - i
      const start = header.pixels + row * rowBytes
      copyRow(file.subarray(start, start + rowBytes), header, band.file, band.pixels + i * band.rowBytes)
    }
    const { bitmap } = await Jimp.fromBuffer(band.file).catch((error) => {
      throw brokenImage('bmp', String(error), error)
    })
    copyPixels(bitmap.data, bitmap.width, rgb.subarray(top * width * 3), width, band.rows)
  })
  return rgb
}

/** A BMP whose rows run from top to bottom, without the pixels. 16 and 32 bits per pixel become 24. */
function bandHeader({ width, bits, palette }: BmpHeader, rows: number) {
  const bandBits = expanded(bits) ? 24 : bits
  // With four bits per pixel and an odd width, jimp would stop at the end of the first row.
  const bandWidth = bits === 4 ? width + (width % 2) : width
  const rowBytes = Math.ceil((bandWidth * bandBits) / 32) * 4
  const pixels = HEADER_BYTES + palette.length
  const file = Buffer.alloc(pixels + rowBytes * rows)
  file.write('BM', 'latin1')
  file.writeUInt32LE(file.length, 2)
  file.writeUInt32LE(pixels, 10)
  file.writeUInt32LE(40, 14)
  file.writeInt32LE(bandWidth, 18)
  file.writeInt32LE(-rows, 22)
  file.writeUInt16LE(1, 26)
  file.writeUInt16LE(bandBits, 28)
  file.set(palette, HEADER_BYTES)
  return { file, rows, rowBytes, pixels }
}

function copyRow(row: Uint8Array, { width, bits, masks }: BmpHeader, to: Buffer, start: number): void {
  if (!expanded(bits)) {
    to.set(row.subarray(0, Math.ceil((width * bits) / 8)), start)
    return
  }
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength)
  const [red, green, blue] = masks.map(channel)
  for (let x = 0; x < width; x++) {
    const pixel = bits === 16 ? view.getUint16(x * 2, true) : view.getUint32(x * 4, true)
    to[start + x * 3] = blue?.(pixel) ?? 0
    to[start + x * 3 + 1] = green?.(pixel) ?? 0
    to[start + x * 3 + 2] = red?.(pixel) ?? 0
  }
}

function expanded(bits: number): boolean {
  return bits === 16 || bits === 32
}

/** Reads the bits under the mask and scales them to 0 to 255, as in Pillow. */
function channel(mask: number): (pixel: number) => number {
  const shift = 31 - Math.clz32(mask & -mask)
  const most = mask >>> shift
  return (pixel) => Math.trunc((((pixel >>> shift) & most) * 255) / most)
}

function copyPixels(rgba: Uint8Array, rgbaWidth: number, rgb: Uint8Array, width: number, rows: number): void {
  let to = 0
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * rgbaWidth + x) * 4
      rgb[to] = rgba[from] as number
      rgb[to + 1] = rgba[from + 1] as number
      rgb[to + 2] = rgba[from + 2] as number
      to += 3
    }
  }
}
