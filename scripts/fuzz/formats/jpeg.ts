import { number } from './format.ts'
import { type Part, partsFormat } from './parts.ts'

const START_OF_SCAN = 'da'
const MAX_CONTENT = 0xffff - 2
const NAMES = ['c0', 'c1', 'c2', 'c4', 'c9', 'cc', 'd9', 'da', 'db', 'dc', 'dd', 'e0', 'e1', 'e2', 'ee', 'fe']

/** JPEG: segments with lengths; the coded pixels behind a scan's header have neither a length nor a name. */
export const jpeg = partsFormat({
  name: 'JPEG',
  names: NAMES,
  matches: (file) => number(file, 0, 2, 'BE') === 0xffd8,
  split(file) {
    const parts: Part[] = [{ name: '', data: file.subarray(0, 2) }]
    for (let at = 2; at < file.length; ) {
      const end = at + 2 + number(file, at + 2, 2, 'BE')
      if (file[at] !== 0xff || end < at + 4 || end > file.length) {
        parts.push({ name: '', data: file.subarray(at) })
        break
      }
      const name = file.toString('hex', at + 1, at + 2)
      parts.push({ name, data: file.subarray(at + 4, end) })
      at = end
      if (name !== START_OF_SCAN) continue
      at = endOfScan(file, end)
      parts.push({ name: '', data: file.subarray(end, at) })
    }
    return parts
  },
  join: (parts) =>
    Buffer.concat(parts.flatMap(({ name, data }) => (name === '' ? [data] : segment(name, data)))),
})

function segment(name: string, data: Buffer): Buffer[] {
  const content = data.subarray(0, MAX_CONTENT)
  const head = Buffer.from(`ff${name}0000`, 'hex')
  head.writeUInt16BE(content.length + 2, 2)
  return [head, content]
}

function endOfScan(file: Buffer, start: number): number {
  for (let at = file.indexOf(0xff, start); at >= 0; at = file.indexOf(0xff, at + 2)) {
    const marker = file[at + 1] ?? 0
    if (marker !== 0 && !(marker >= 0xd0 && marker <= 0xd7)) return at
  }
  return file.length
}
