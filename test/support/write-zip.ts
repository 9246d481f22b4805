import { writeFileSync } from 'node:fs'
import { crc32, deflateRawSync } from 'node:zlib'

/** The length of a name is a number of 16 bits. */
const LONGEST_NAME = 0xffff

export interface ZipEntry {
  readonly name: string
  readonly content: Uint8Array
}

/** A ZIP with compressed entries; Keras stores them uncompressed. */
export function writePackedZip(path: string, entries: Readonly<Record<string, Uint8Array>>): void {
  writeFileSync(path, zip(Object.entries(entries).map(([name, content]) => ({ name, content }))))
}

export function zip(entries: readonly ZipEntry[], form: 'packed' | 'stored' = 'packed'): Buffer {
  const [local, central]: [Buffer[], Buffer[]] = [[], []]
  let offset = 0
  for (const { name: text, content } of entries) {
    const name = Buffer.from(text).subarray(0, LONGEST_NAME)
    const packed = form === 'packed' ? deflateRawSync(content) : Buffer.from(content)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(form === 'packed' ? 8 : 0, 4)
    common.writeUInt32LE(crc32(content), 10)
    common.writeUInt32LE(packed.length, 14)
    common.writeUInt32LE(content.length, 18)
    common.writeUInt16LE(name.length, 22)
    const head = Buffer.concat([Buffer.from('PK\x03\x04'), common, name])
    const rest = Buffer.alloc(14)
    rest.writeUInt32LE(offset, 10)
    local.push(head, packed)
    central.push(Buffer.from('PK\x01\x02'), Buffer.from([20, 0]), common, rest, name)
    offset += head.length + packed.length
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(entries.length, 4)
  end.writeUInt16LE(entries.length, 6)
  end.writeUInt32LE(directory.length, 8)
  end.writeUInt32LE(offset, 12)
  return Buffer.concat([...local, directory, Buffer.from('PK\x05\x06'), end])
}
