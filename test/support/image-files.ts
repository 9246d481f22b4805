import { crc32, deflateSync } from 'node:zlib'
import sharp, { type Sharp } from 'sharp'
import { type ImageOptions, readImage } from '../../pipeline/image/read-image.ts'
import { smoothImage } from './synthetic.ts'

/** Image files written byte by byte, in variants that the installed encoders do not write. */

export interface PngParts {
  width: number
  height: number
  bits: number
  /** 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA */
  colour: number
  rows: readonly Uint8Array[]
  /** chunks between the header and the data */
  chunks?: readonly Buffer[]
}

const PNG_SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex')

export function png({ width, height, bits, colour, rows, chunks = [] }: PngParts): Buffer {
  const data = deflateSync(Buffer.concat(rows.map((row) => Buffer.concat([Buffer.alloc(1), row]))))
  const header = pngHeader(width, height, bits, colour)
  return Buffer.concat([PNG_SIGNATURE, header, ...chunks, chunk('IDAT', data), chunk('IEND')])
}

/** A black image with far more pixels than the file has bytes. */
export function pngBomb(side: number): Buffer {
  const data = deflateSync(Buffer.alloc(side * (side / 8 + 1)), { level: 9 })
  return Buffer.concat([PNG_SIGNATURE, pngHeader(side, side, 1, 0), chunk('IDAT', data), chunk('IEND')])
}

export function chunk(type: string, data: Uint8Array = new Uint8Array(0)): Buffer {
  const body = Buffer.concat([Buffer.from(type), data])
  return Buffer.concat([uint32(data.length), body, uint32(crc32(body))])
}

function pngHeader(width: number, height: number, bits: number, colour: number): Buffer {
  return chunk('IHDR', Buffer.concat([uint32(width), uint32(height), Buffer.of(bits, colour, 0, 0, 0)]))
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export interface GifFrameParts {
  left?: number
  top?: number
  width: number
  height: number
  /** indices into a palette of four colours */
  pixels: readonly number[]
  transparent?: number
}

export function gif(
  width: number,
  height: number,
  palette: readonly number[],
  frames: GifFrameParts[],
): Buffer {
  const screen = [...uint16(width), ...uint16(height), 0x81, 0, 0]
  const blocks = frames.flatMap(gifFrame)
  return Buffer.from([...Buffer.from('GIF89a'), ...screen, ...palette, ...blocks, 0x3b])
}

function gifFrame({ left = 0, top = 0, width, height, pixels, transparent }: GifFrameParts): number[] {
  const control = transparent === undefined ? [] : [0x21, 0xf9, 4, 1, 10, 0, transparent, 0]
  const place = [left, top, width, height].flatMap(uint16)
  // The code table is cleared before each pixel and never grows, so every code has three bits.
  const codes = [...pixels.flatMap((pixel) => [4, pixel]), 5]
  const bits = codes.map((code) => code.toString(2).padStart(3, '0')).reverse()
  const number = BigInt(`0b${bits.join('')}`)
  const bytes: number[] = []
  for (let i = 0; i < (codes.length * 3) / 8; i++) bytes.push(Number((number >> BigInt(8 * i)) & 255n))
  return [...control, 0x2c, ...place, 0, 2, bytes.length, ...bytes, 0]
}

function uint16(value: number): number[] {
  return [value & 255, value >> 8]
}

export interface BmpParts {
  width: number
  /** negative: the first row is the top one */
  height: number
  bits: number
  /** in the order of the file, without padding */
  rows: readonly Uint8Array[]
  /** blue, green, red, 0 */
  palette?: Uint8Array
  compression?: number
  masks?: readonly number[]
  /** bytes between the palette and the pixels */
  gap?: number
}

export function bmp(parts: BmpParts): Buffer {
  const { width, height, bits, rows, palette = Buffer.alloc(0), compression = 0, masks = [], gap = 0 } = parts
  const header = Buffer.alloc(54 + masks.length * 4)
  header.write('BM')
  header.writeUInt32LE(header.length + palette.length + gap, 10)
  header.writeUInt32LE(40, 14)
  header.writeInt32LE(width, 18)
  header.writeInt32LE(height, 22)
  header.writeUInt16LE(1, 26)
  header.writeUInt16LE(bits, 28)
  header.writeUInt32LE(compression, 30)
  header.writeUInt32LE(palette.length / 4, 46)
  for (const [i, mask] of masks.entries()) header.writeUInt32LE(mask, 54 + i * 4)
  const padded = rows.map((row) => Buffer.concat([row, Buffer.alloc(-row.length & 3)]))
  return Buffer.concat([header, palette, Buffer.alloc(gap, 0xaa), ...padded])
}

/** The pixels of an image, without resizing. */
export function pixelsOf(
  bytes: Uint8Array,
  width: number,
  height: number,
  options: Partial<ImageOptions> = {},
): Promise<Uint8Array> {
  return readImage(bytes, { width, height, interpolation: 'nearest', crop: 'stretch', ...options })
}

/** Numbers between 0 and 1, the same ones every time. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** A colourful picture of 40 × 30 pixels. */
export function photo(): Sharp {
  return sharp(smoothImage(30, 40), { raw: { width: 40, height: 30, channels: 3 } })
}

/** Numbers of 16 bits, the high byte first. */
export function bytesOf16(values: readonly number[]): Buffer {
  return Buffer.from(values.flatMap((value) => [value >> 8, value & 255]))
}
