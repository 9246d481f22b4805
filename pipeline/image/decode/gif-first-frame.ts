import type { Backdrop, Margin } from './backdrop.ts'
import { brokenImage } from './image-limits.ts'

export interface GifFrame {
  /** The width of the canvas, extended to a frame that reaches over its edge. */
  readonly width: number
  readonly height: number
  /** The part of the canvas around the frame, and its colour. */
  readonly margin: Margin
  /** A GIF of this one frame alone: no canvas around it, no transparency, no animation. */
  readonly file: Uint8Array
}

const HEADER_BYTES = 13
const EXTENSION = 0x21
const FRAME = 0x2c
const TRAILER = 0x3b
const CONTROL = 0xf9
const FRAME_BYTES = 10
const HAS_PALETTE = 0x80
const TRANSPARENT = 0x01

/**
 * Cuts out the first frame. As in Pillow, transparent pixels and the canvas around a smaller frame get the colour that
 * the palette has for the transparent entry; the decoder would make both black. With `paper`, both get that colour.
 * Reads nothing after the first frame, so a GIF of a hundred thousand frames costs no more than one frame.
 */
export function gifFirstFrame(bytes: Uint8Array, paper?: Backdrop): GifFrame {
  const gif = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (gif.length < HEADER_BYTES) throw truncated()
  const screenPalette = palette(gif, HEADER_BYTES, gif.readUInt8(10))
  const { frame, transparent } = findFrame(gif, HEADER_BYTES + screenPalette.length)
  const framePalette = palette(gif, frame + FRAME_BYTES, gif.readUInt8(frame + 9))
  const pixels = frame + FRAME_BYTES + framePalette.length
  const end = blocksEnd(gif, pixels + 1)
  const colours = framePalette.length > 0 ? framePalette : screenPalette
  const [r = 0, g = 0, b = 0] = colours.subarray((transparent ?? 0) * 3)
  const file = alone(gif, screenPalette, gif.subarray(frame, end))
  if (paper === undefined) return { ...placed(gif, frame, { r, g, b }), file }
  const level = paper === 'white' ? 255 : 0
  const start = HEADER_BYTES + (framePalette.length > 0 ? screenPalette.length + FRAME_BYTES : 0)
  const entry = start + (transparent ?? colours.length) * 3
  if (entry + 3 <= start + colours.length) file.fill(level, entry, entry + 3)
  return { ...placed(gif, frame, { r: level, g: level, b: level }), file }
}

function findFrame(gif: Buffer, start: number) {
  let transparent: number | undefined
  let at = start
  while (at + FRAME_BYTES <= gif.length) {
    if (gif[at] === FRAME) return { frame: at, transparent }
    if (gif[at] === TRAILER) throw brokenImage('gif', 'it has no frame')
    // Bytes that are no block are skipped, as in other programs.
    if (gif[at] !== EXTENSION) {
      at++
      continue
    }
    if (gif[at + 1] === CONTROL && gif.readUInt8(at + 3) & TRANSPARENT) transparent = gif.readUInt8(at + 6)
    at = blocksEnd(gif, at + 2)
  }
  throw truncated()
}

function placed(gif: Buffer, frame: number, background: Margin['background']) {
  const [left, top] = [gif.readUInt16LE(frame + 1), gif.readUInt16LE(frame + 3)]
  const [frameWidth, frameHeight] = [gif.readUInt16LE(frame + 5), gif.readUInt16LE(frame + 7)]
  if (frameWidth === 0 || frameHeight === 0) throw brokenImage('gif', 'one of its sides is 0')
  const width = Math.max(gif.readUInt16LE(6), left + frameWidth)
  const height = Math.max(gif.readUInt16LE(8), top + frameHeight)
  const right = width - left - frameWidth
  const bottom = height - top - frameHeight
  return { width, height, margin: { left, top, right, bottom, background } }
}

function alone(gif: Buffer, screenPalette: Uint8Array, frame: Uint8Array): Uint8Array {
  const file = Buffer.concat([gif.subarray(0, HEADER_BYTES), screenPalette, frame, Uint8Array.of(TRAILER)])
  const start = HEADER_BYTES + screenPalette.length
  // The canvas gets the size of the frame, and the frame moves into the corner.
  file.copy(file, 6, start + 5, start + 9)
  file.fill(0, start + 1, start + 5)
  return file
}

function palette(gif: Buffer, start: number, flags: number): Uint8Array {
  if (!(flags & HAS_PALETTE)) return new Uint8Array(0)
  const end = start + 3 * 2 ** ((flags & 7) + 1)
  if (end > gif.length) throw truncated()
  return gif.subarray(start, end)
}

/** The offset after a chain of blocks. Each block begins with its length; an empty block ends the chain. */
function blocksEnd(gif: Buffer, start: number): number {
  let at = start
  while (at < gif.length) {
    const length = gif.readUInt8(at)
    at += 1 + length
    if (length === 0) return at
  }
  throw truncated()
}

function truncated() {
  return brokenImage('gif', 'it ends too early')
}
