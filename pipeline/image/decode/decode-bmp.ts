import type { BmpHeader } from './bmp-header.ts'
import { brokenImage } from './image-limits.ts'
import { inSlices } from './slices.ts'

// jimp takes about 50 ns for a pixel, on the event loop: 4 ms for one band.
const PIXELS_A_BAND = 64 * 1024
const HEADER_BYTES = 54

/**
 * RGB, three bytes a pixel. jimp gets the image in bands of rows, each a BMP with a header written here: the largest
 * image never holds up the event loop nor takes four bytes a pixel, no number out of the file reaches the decoder, and
 * neither do the cases that it reads wrongly (a gap before the pixels, four bits a pixel and an odd width, 16 bits).
 */
export async function decodeBmp(file: Uint8Array, header: BmpHeader): Promise<Uint8Array> {
  // Loaded with the first BMP: it takes a quarter of a second, and most services never see one.
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

/** A BMP that goes from top to bottom, its pixels yet to come. 16 and 32 bits a pixel become 24. */
function bandHeader({ width, bits, palette }: BmpHeader, rows: number) {
  const bandBits = expanded(bits) ? 24 : bits
  // With an odd number of half bytes jimp would stop at the end of the first row.
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

/** What lies under the mask, spread over 0 to 255 as Pillow does it. */
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
