// A valid directory has a few dozen entries; a damaged one may declare 65 535.
const MAX_ENTRIES = 512
const ORIENTATION = 0x0112
const ENTRY_BYTES = 12
const SHORT = 3
const LONG = 4

/** The EXIF orientation, 1 (upright) to 8. `exif` begins with the TIFF header. Unreadable data counts as upright. */
export function exifOrientation(exif: Uint8Array): number {
  const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength)
  if (view.byteLength < 8) return 1
  const order = view.getUint16(0)
  if (order !== 0x4949 && order !== 0x4d4d) return 1
  const little = order === 0x4949
  const directory = view.getUint32(4, little)
  if (directory + 2 > view.byteLength) return 1
  const entries = Math.min(view.getUint16(directory, little), MAX_ENTRIES)
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + i * ENTRY_BYTES
    if (entry + ENTRY_BYTES > view.byteLength) return 1
    if (view.getUint16(entry, little) !== ORIENTATION) continue
    const value = numberAt(view, entry, little)
    return value >= 1 && value <= 8 ? value : 1
  }
  return 1
}

/** The value of an entry that is one whole number; 0 for any other entry. */
function numberAt(view: DataView, entry: number, little: boolean): number {
  const type = view.getUint16(entry + 2, little)
  if (type === SHORT) return view.getUint16(entry + 8, little)
  return type === LONG ? view.getUint32(entry + 8, little) : 0
}
