import { inflateRawSync } from 'node:zlib'
import { type ZipEntry, zip as zipped } from '../../../test/support/write-zip.ts'
import type { Random } from '../random.ts'
import { type Field, fieldsFormat } from './fields.ts'
import { type Format, MAX_INPUT_BYTES, mutate, number } from './format.ts'
import { hdf5 } from './hdf5.ts'
import { json } from './json.ts'
import { type Part, partsFormat } from './parts.ts'

const CENTRAL = Buffer.from('PK\x01\x02')
const CENTRAL_BYTES = 46
const LOCAL_BYTES = 30
const DEFLATED = 8
const NAMES = [
  'config.json',
  'metadata.json',
  'model.weights.h5',
  '../x',
  '/etc/passwd',
  'assets/',
  'a\\b',
  '\0',
]
const HEADERS: readonly (readonly [string, readonly Field[]])[] = [
  [
    'PK\x01\x02',
    [
      [6, 2],
      [8, 2],
      [10, 2],
      [16, 4],
      [20, 4],
      [24, 4],
      [28, 2],
      [30, 2],
      [32, 2],
      [36, 4],
      [38, 4],
      [42, 4],
    ],
  ],
  [
    'PK\x03\x04',
    [
      [4, 2],
      [6, 2],
      [8, 2],
      [14, 4],
      [18, 4],
      [22, 4],
      [26, 2],
      [28, 2],
    ],
  ],
  [
    'PK\x05\x06',
    [
      [4, 2],
      [6, 2],
      [8, 2],
      [10, 2],
      [12, 4],
      [16, 4],
      [20, 2],
    ],
  ],
]

const entries = partsFormat({
  name: 'ZIP',
  names: NAMES,
  matches: isZip,
  split: entriesIn,
  join: (parts) => zipped(parts.map(entryOf), parts.length % 2 === 0 ? 'packed' : 'stored'),
  mutateData: ({ data }, random) => mutate(data, [json, hdf5], random),
})

const headers = fieldsFormat('ZIP headers', isZip, (file) =>
  HEADERS.flatMap(([signature, fields]) =>
    placesOf(file, Buffer.from(signature, 'latin1')).flatMap((at) =>
      fields.map(([offset, size]): Field => [at + offset, size]),
    ),
  ),
)

/** ZIP: entries with checksums, or numbers in headers. */
export const zip: Format = {
  name: 'ZIP',
  matches: isZip,
  mutate: (file: Buffer, random: Random, donor: Buffer) =>
    (random.chance(0.6) ? entries : headers).mutate(file, random, donor),
}

function isZip(file: Buffer): boolean {
  return file.toString('latin1', 0, 4) === 'PK\x03\x04'
}

function entryOf({ name, data }: Part): ZipEntry {
  return { name, content: data }
}

/** By the directory, as in most programs. An entry that cannot be unpacked is left out. */
function entriesIn(file: Buffer): Part[] {
  return placesOf(file, CENTRAL).flatMap((at) => {
    const packed = number(file, at + 20, 4, 'LE')
    const name = file.toString(
      'latin1',
      at + CENTRAL_BYTES,
      at + CENTRAL_BYTES + number(file, at + 28, 2, 'LE'),
    )
    const local = number(file, at + 42, 4, 'LE')
    const start = local + LOCAL_BYTES + number(file, local + 26, 2, 'LE') + number(file, local + 28, 2, 'LE')
    const bytes = file.subarray(start, start + packed)
    const data = number(file, at + 10, 2, 'LE') === DEFLATED ? unpacked(bytes) : bytes
    return data === undefined ? [] : [{ name, data }]
  })
}

function unpacked(bytes: Buffer): Buffer | undefined {
  try {
    return inflateRawSync(bytes, { maxOutputLength: MAX_INPUT_BYTES })
  } catch {
    return undefined
  }
}

function placesOf(file: Buffer, signature: Buffer): number[] {
  const places: number[] = []
  for (let at = file.indexOf(signature); at >= 0; at = file.indexOf(signature, at + 1)) places.push(at)
  return places
}
