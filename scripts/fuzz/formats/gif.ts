import { number } from './format.ts'
import { type Part, partsFormat } from './parts.ts'

const HEADER_BYTES = 13
const FRAME_BYTES = 10

/** GIF: blocks without names that say their lengths themselves. */
export const gif = partsFormat({
  name: 'GIF',
  names: [''],
  matches: (file) => /^GIF8[79]a$/.test(file.toString('latin1', 0, 6)),
  split(file) {
    const screen = HEADER_BYTES + paletteBytes(file, 10)
    const parts: Part[] = [raw(file, 0, HEADER_BYTES), raw(file, HEADER_BYTES, screen)]
    for (let at = screen; at < file.length; ) {
      const kind = file[at]
      const end = kind === 0x21 ? blocksEnd(file, at + 2) : at + (kind === 0x2c ? FRAME_BYTES : 1)
      parts.push(raw(file, at, end))
      at = end
      if (kind !== 0x2c) continue
      const palette = at + paletteBytes(file, at - 1)
      const pixels = blocksEnd(file, palette + 1)
      parts.push(raw(file, at, palette), raw(file, palette, pixels))
      at = pixels
    }
    return parts
  },
  join: (parts) => Buffer.concat(parts.map(({ data }) => data)),
})

function raw(file: Buffer, start: number, end: number): Part {
  return { name: '', data: file.subarray(start, end) }
}

function paletteBytes(file: Buffer, flagsAt: number): number {
  const flags = number(file, flagsAt, 1, 'LE')
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0
}

function blocksEnd(file: Buffer, start: number): number {
  for (let at = start; ; ) {
    const size = number(file, at, 1, 'LE')
    at += 1 + size
    if (size === 0 || at >= file.length) return Math.max(at, start + 1)
  }
}
