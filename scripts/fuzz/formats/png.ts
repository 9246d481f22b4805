import { deflateSync, inflateSync } from 'node:zlib'
import { chunk } from '../../../test/support/image-files.ts'
import { mutateBytes } from '../mutate-bytes.ts'
import type { Random } from '../random.ts'
import { MAX_INPUT_BYTES, number } from './format.ts'
import { type Part, partsFormat } from './parts.ts'

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex')
const NAMES = [
  'IHDR',
  'PLTE',
  'IDAT',
  'IEND',
  'tRNS',
  'eXIf',
  'iCCP',
  'zTXt',
  'iTXt',
  'acTL',
  'fcTL',
  'fdAT',
  'gAMA',
  'sBIT',
]
/** Type and checksum count neither. */
const CHUNK_BYTES = 12

/** PNG: chunks with lengths and checksums. */
export const png = partsFormat({
  name: 'PNG',
  names: NAMES,
  matches: (file) => file.subarray(0, 8).equals(SIGNATURE),
  split(file) {
    const parts: Part[] = [{ name: '', data: file.subarray(0, 8) }]
    for (let at = 8; at < file.length; ) {
      const end = at + CHUNK_BYTES + number(file, at, 4, 'BE')
      if (at + CHUNK_BYTES > file.length || end > file.length) {
        parts.push({ name: '', data: file.subarray(at) })
        break
      }
      parts.push({ name: file.toString('latin1', at + 4, at + 8), data: file.subarray(at + 8, end - 4) })
      at = end
    }
    return parts
  },
  join: (parts) => Buffer.concat(parts.map(({ name, data }) => (name === '' ? data : chunk(name, data)))),
  mutateData: ({ name, data }, random) => (name === 'IDAT' ? mutatePacked(data, random) : undefined),
})

/** Rows that are wrong inside of a sound stream. */
function mutatePacked(data: Buffer, random: Random): Buffer | undefined {
  if (random.chance(0.4)) return undefined
  try {
    return deflateSync(mutateBytes(inflateSync(data, { maxOutputLength: MAX_INPUT_BYTES }), random))
  } catch {
    // The stream is damaged already.
    return undefined
  }
}
