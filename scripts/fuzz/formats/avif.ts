import { number } from './format.ts'
import { type Part, partsFormat } from './parts.ts'

const HEAD_BYTES = 8
/** The boxes that have boxes inside, and the bytes before these. */
const CONTAINERS: ReadonlyMap<string, number> = new Map([
  ['meta', 4],
  ['iprp', 0],
  ['ipco', 0],
  ['iref', 4],
  ['moov', 0],
  ['trak', 0],
])
const NAMES = [
  'ftyp',
  'meta',
  'iprp',
  'ipco',
  'ipma',
  'ispe',
  'iloc',
  'iinf',
  'iref',
  'dimg',
  'auxl',
  'pixi',
  'av1C',
  'colr',
  'irot',
  'imir',
  'mdat',
]

/** AVIF: boxes with lengths, inside of boxes. */
export const avif = partsFormat({
  name: 'AVIF',
  names: NAMES,
  matches: (file) => file.toString('latin1', 4, 8) === 'ftyp',
  split: boxes,
  join,
})

function boxes(bytes: Buffer): Part[] {
  const parts: Part[] = []
  for (let at = 0; at < bytes.length; ) {
    const size = number(bytes, at, 4, 'BE') || bytes.length - at
    if (size < HEAD_BYTES || at + size > bytes.length) {
      parts.push({ name: '', data: bytes.subarray(at) })
      break
    }
    const name = bytes.toString('latin1', at + 4, at + 8)
    const content = bytes.subarray(at + HEAD_BYTES, at + size)
    const before = CONTAINERS.get(name)
    if (before === undefined) parts.push({ name, data: content })
    else parts.push({ name, data: content.subarray(0, before), parts: boxes(content.subarray(before)) })
    at += size
  }
  return parts
}

function join(parts: readonly Part[]): Buffer {
  return Buffer.concat(
    parts.flatMap(({ name, data, parts }) => {
      if (name === '') return [data]
      const content = Buffer.concat([data, join(parts ?? [])])
      const head = Buffer.alloc(HEAD_BYTES)
      head.writeUInt32BE(content.length + HEAD_BYTES)
      head.write(name.padEnd(4), 4, 'latin1')
      return [head, content]
    }),
  )
}
