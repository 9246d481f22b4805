import { deflateSync } from 'node:zlib'
import { chunk, png } from './image-files.ts'

/** Small image files that cost a decoder seconds or gigabytes. They are written byte by byte and always the same. */

const PNG_HEAD = 8 + 25

/** 8 × 8 pixels, and texts that are a thousand times as large as the file when they are unpacked. */
export function pngTexts(count: number, unpacked: number): Buffer {
  const text = deflateSync(Buffer.alloc(unpacked, 'a'), { level: 9 })
  const chunks = Array.from({ length: count }, (_, i) =>
    chunk('zTXt', Buffer.concat([Buffer.from(`text ${i}\0\0`), text])),
  )
  return smallPng(chunks)
}

/** 8 × 8 pixels, and many chunks without content. */
export function pngChunks(count: number, type = 'teXt'): Buffer {
  return smallPng([Buffer.concat(Array<Buffer>(count).fill(chunk(type)))])
}

/** 8 × 8 pixels, and a directory of EXIF data whose entries all share one large value. */
export function pngExif(entries: number, valueBytes: number): Buffer {
  return smallPng([chunk('eXIf', exifEntries(entries, valueBytes))])
}

/** 8 × 8 pixels, and data that goes on behind the last row. */
export function pngData(unpacked: number): Buffer {
  const [head, tail] = [smallPng([]).subarray(0, PNG_HEAD), chunk('IEND')]
  return Buffer.concat([head, chunk('IDAT', deflateSync(Buffer.alloc(unpacked), { level: 9 })), tail])
}

function smallPng(chunks: readonly Buffer[]): Buffer {
  const rows = Array.from({ length: 8 }, (_, y) => Buffer.alloc(8, 30 * y))
  return png({ width: 8, height: 8, bits: 8, colour: 0, rows, chunks })
}

const LARGEST_RUN = 14

/** A grey JPEG of many scans. Each says in a few bytes that no block has anything new, and each visits all blocks. */
export function jpegScans(width: number, height: number, scans: number): Buffer {
  const blocks = Math.ceil(width / 8) * Math.ceil(height / 8)
  const runs = Array.from({ length: LARGEST_RUN + 1 }, (_, i) => i << 4)
  const head = Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    segment(0xdb, [0, ...Array<number>(64).fill(1)]),
    segment(0xc2, [8, height >> 8, height & 255, width >> 8, width & 255, 1, 1, 0x11, 0]),
    segment(0xc4, [0x00, 1, ...Array<number>(15).fill(0), 0]),
    segment(0xc4, [0x10, 0, 0, 0, runs.length, ...Array<number>(12).fill(0), ...runs]),
    scan(0),
    entropy(Array.from({ length: blocks }, () => [0, 1] as const)),
  ])
  const nothing = entropy(emptyBlocks(blocks))
  const rest = Array.from({ length: scans - 1 }, (_, i) => Buffer.concat([scan(63, i % 2), nothing]))
  return Buffer.concat([head, ...rest, Buffer.from([0xff, 0xd9])])
}

function segment(marker: number, content: readonly number[]): Buffer {
  return Buffer.from([0xff, marker, (content.length + 2) >> 8, (content.length + 2) & 255, ...content])
}

/** Of the one component: its first coefficient, or all others without their last bit, or that last bit. */
function scan(last: number, isLastBit = 0): Buffer {
  return segment(0xda, [1, 1, 0, Math.min(last, 1), last, isLastBit ? 0x10 : last && 0x01])
}

/** Runs of blocks that end at once: a code of four bits, and as many bits of length as the code says. */
function* emptyBlocks(blocks: number): Generator<readonly [value: number, bits: number]> {
  for (let left = blocks; left > 0; ) {
    const bits = Math.min(LARGEST_RUN, 31 - Math.clz32(left))
    const run = Math.min(left, 2 ** (bits + 1) - 1)
    yield [bits, 4]
    yield [run - 2 ** bits, bits]
    left -= run
  }
}

function entropy(codes: Iterable<readonly [value: number, bits: number]>): Buffer {
  const bytes: number[] = []
  let [held, count] = [0, 0]
  for (const [value, bits] of codes) {
    for (let bit = bits - 1; bit >= 0; bit--) {
      held = (held << 1) | ((value >> bit) & 1)
      if (++count < 8) continue
      bytes.push(held)
      if (held === 0xff) bytes.push(0)
      ;[held, count] = [0, 0]
    }
  }
  if (count > 0) bytes.push(((held << (8 - count)) | (0xff >> count)) & 0xff)
  return Buffer.from(bytes)
}

/** A JPEG with many comments without a text. */
export function jpegSegments(jpeg: Uint8Array, count: number): Buffer {
  const comments = Array<Buffer>(count).fill(segment(0xfe, []))
  return Buffer.concat([jpeg.subarray(0, 2), ...comments, jpeg.subarray(2)])
}

const EXIF_HEAD = 8
const FIRST_TAG = 0x0100

/** EXIF data, which begins with the header of a TIFF. */
function exifEntries(entries: number, valueBytes: number): Buffer {
  const start = EXIF_HEAD + 2 + entries * 12 + 4
  const exif = Buffer.alloc(start + valueBytes, 'a')
  exif.write('II*\0', 'latin1')
  exif.writeUInt32LE(EXIF_HEAD, 4)
  exif.writeUInt16LE(entries, EXIF_HEAD)
  for (let i = 0; i < entries; i++) {
    const at = EXIF_HEAD + 2 + i * 12
    // A text, which begins behind the entries.
    exif.writeUInt16LE(FIRST_TAG + i, at)
    exif.writeUInt16LE(2, at + 2)
    exif.writeUInt32LE(valueBytes, at + 4)
    exif.writeUInt32LE(start, at + 8)
  }
  exif.writeUInt32LE(0, start - 4)
  return exif
}

/** A JPEG with EXIF data; a segment holds up to 65,533 bytes. */
export function jpegExif(jpeg: Uint8Array, entries: number, valueBytes: number): Buffer {
  const exif = Buffer.concat([Buffer.from('Exif\0\0'), exifEntries(entries, valueBytes)])
  return Buffer.concat([jpeg.subarray(0, 2), segment(0xe1, [...exif]), jpeg.subarray(2)])
}

/** A WebP of many frames of one pixel, from one with a single frame. */
export function webpFrames(still: Buffer, frames: number): Buffer {
  const data = still.subarray(12)
  const frame = Buffer.concat([Buffer.alloc(16), data])
  const head = Buffer.alloc(10)
  head.writeUInt8(2)
  const parts = [
    riff('VP8X', head),
    riff('ANIM', Buffer.alloc(6)),
    ...Array<Buffer>(frames).fill(riff('ANMF', frame)),
  ]
  return webp(parts)
}

/** A WebP with EXIF data. */
export function webpExif(still: Buffer, width: number, height: number, entries: number, valueBytes: number) {
  const head = Buffer.alloc(10)
  head.writeUInt8(8)
  head.writeUIntLE(width - 1, 4, 3)
  head.writeUIntLE(height - 1, 7, 3)
  return webp([riff('VP8X', head), still.subarray(12), riff('EXIF', exifEntries(entries, valueBytes))])
}

function webp(parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat([Buffer.from('WEBP'), ...parts])
  return riff('RIFF', body)
}

function riff(name: string, content: Uint8Array): Buffer {
  const size = Buffer.alloc(4)
  size.writeUInt32LE(content.length)
  return Buffer.concat([Buffer.from(name), size, content, Buffer.alloc(content.length & 1)])
}

type Entry = readonly [tag: number, type: number, value: number, count?: number]

/** A grey TIFF of 8 × 8 pixels; `more` beside what an image needs, and so many directories, all alike. */
export function tiff(directories: number, more: readonly Entry[] = []): Buffer {
  const required: Entry[] = [
    [256, 3, 8],
    [257, 3, 8],
    [258, 3, 8],
    [259, 3, 1],
    [262, 3, 1],
    [273, 4, 8],
    [277, 3, 1],
    [278, 3, 8],
    [279, 4, 64],
  ]
  const replaced = required.filter(([tag]) => !more.some(([other]) => other === tag))
  const entries = [...replaced, ...more].sort(([a], [b]) => a - b)
  const size = 2 + entries.length * 12 + 4
  const start = 8 + 64
  const file = Buffer.alloc(start + size * directories, 100)
  file.write('II*\0', 'latin1')
  file.writeUInt32LE(start, 4)
  for (let page = 0; page < directories; page++) {
    const directory = start + page * size
    file.writeUInt16LE(entries.length, directory)
    for (const [i, [tag, type, value, count = 1]] of entries.entries()) {
      const at = directory + 2 + i * 12
      file.writeUInt16LE(tag, at)
      file.writeUInt16LE(type, at + 2)
      file.writeUInt32LE(count, at + 4)
      file.writeUInt32LE(value, at + 8)
    }
    file.writeUInt32LE(page + 1 < directories ? directory + size : 0, directory + size - 4)
  }
  return file
}
