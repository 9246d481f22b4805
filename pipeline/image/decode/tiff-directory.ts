import { brokenImage } from './image-limits.ts'

export interface TiffDirectory {
  readonly orientation: number
  /** The file with the first directory alone, which has only the entries that a decoder needs. */
  readonly needed: Uint8Array
}

/** The form of a directory: a classic TIFF counts in 16 and 32 bits, a BigTIFF in 64. */
interface Form {
  readonly offsetAt: number
  readonly wordBytes: 4 | 8
  readonly countBytes: 2 | 8
  readonly entryBytes: 12 | 20
}

const CLASSIC: Form = { offsetAt: 4, wordBytes: 4, countBytes: 2, entryBytes: 12 }
const BIG: Form = { offsetAt: 8, wordBytes: 8, countBytes: 8, entryBytes: 20 }
const BIG_VERSION = 43
const HEADER_BYTES = 16
const ORIENTATION = 274
const SHORT = 3
const PROFILE = 34675

// Size, bits, compression, photometric interpretation, fill order, strips, samples, planes, options of fax compressions,
// predictor, palette, tiles, inks, extra samples, sample format and range, tables and pointers of JPEG, YCbCr, LERC.
const NEEDED = new Set([
  ...[254, 255, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 280, 281, 284, 292, 293, 301, 317, 318],
  ...[319, 320, 322, 323, 324, 325, 332, 333, 334, 336, 338, 339, 340, 341, 347],
  ...[512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532, 50674],
])

/**
 * Leaves the first directory and the entries that say how the pixels are stored. The decoder would read each of 160,000
 * directories that fit into a file of 20 MB, and would copy the value of each of 65,535 entries, which may be one and the
 * same value of megabytes.
 */
export function tiffFirstDirectory(bytes: Uint8Array, keepProfile: boolean): TiffDirectory {
  if (bytes.length < HEADER_BYTES) throw truncated()
  const file = Buffer.from(bytes)
  const little = file.toString('latin1', 0, 2) === 'II'
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const form = view.getUint16(2, little) === BIG_VERSION ? BIG : CLASSIC
  const { offsetAt, wordBytes, countBytes, entryBytes } = form
  const word = (at: number) =>
    wordBytes === 8 ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little)
  const directory = word(offsetAt)
  if (directory + countBytes > file.length) throw truncated()
  const count = countBytes === 8 ? word(directory) : view.getUint16(directory, little)
  const start = directory + countBytes
  const end = start + count * entryBytes
  if (!(end + wordBytes <= file.length)) throw truncated()
  let orientation = 1
  let at = start
  for (let entry = start; entry < end; entry += entryBytes) {
    const tag = view.getUint16(entry, little)
    const isShort = view.getUint16(entry + 2, little) === SHORT
    const value = view.getUint16(entry + 4 + wordBytes, little)
    if (tag === ORIENTATION && isShort && value >= 1 && value <= 8) orientation = value
    if (!NEEDED.has(tag) && !(keepProfile && tag === PROFILE)) continue
    file.copyWithin(at, entry, entry + entryBytes)
    at += entryBytes
  }
  const left = (at - start) / entryBytes
  if (countBytes === 8) view.setBigUint64(directory, BigInt(left), little)
  else view.setUint16(directory, left, little)
  // What comes next: no directory.
  file.fill(0, at, at + wordBytes)
  return { orientation, needed: file }
}

function truncated() {
  return brokenImage('tiff', 'its directory is cut off')
}
