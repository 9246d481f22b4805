import { number } from './format.ts'
import { type Part, partsFormat } from './parts.ts'

const HEAD_BYTES = 8
const FRAME = 'ANMF'
const FRAME_HEAD_BYTES = 16
const NAMES = ['VP8 ', 'VP8L', 'VP8X', 'ALPH', 'ANIM', 'ANMF', 'ICCP', 'EXIF', 'XMP ']

/** WebP: chunks with lengths, padded to even lengths, inside of one chunk. */
export const webp = partsFormat({
  name: 'WebP',
  names: NAMES,
  matches: (file) => file.toString('latin1', 0, 4) === 'RIFF' && file.toString('latin1', 8, 12) === 'WEBP',
  split: (file) => [{ name: 'RIFF', data: file.subarray(8, 12), parts: chunks(file.subarray(12)) }],
  join,
})

function chunks(bytes: Buffer): Part[] {
  const parts: Part[] = []
  for (let at = 0; at < bytes.length; ) {
    const size = number(bytes, at + 4, 4, 'LE')
    const end = at + HEAD_BYTES + size
    if (at + HEAD_BYTES > bytes.length || end > bytes.length) {
      parts.push({ name: '', data: bytes.subarray(at) })
      break
    }
    const name = bytes.toString('latin1', at, at + 4)
    const data = bytes.subarray(at + HEAD_BYTES, end)
    const inner = data.subarray(FRAME_HEAD_BYTES)
    if (name !== FRAME) parts.push({ name, data })
    else parts.push({ name, data: data.subarray(0, FRAME_HEAD_BYTES), parts: chunks(inner) })
    at = end + (size & 1)
  }
  return parts
}

function join(parts: readonly Part[]): Buffer {
  return Buffer.concat(
    parts.flatMap(({ name, data, parts }) => {
      if (name === '') return [data]
      const content = Buffer.concat([data, join(parts ?? [])])
      const head = Buffer.alloc(HEAD_BYTES)
      head.write(name.padEnd(4), 'latin1')
      head.writeUInt32LE(content.length, 4)
      return [head, content, Buffer.alloc(content.length & 1)]
    }),
  )
}
