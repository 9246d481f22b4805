import { type FileWindow, readBytes } from './file-window.ts'
import { loadError, quote } from './model-file-error.ts'

/** The outer format of a file; the content of an HDF5 file or a ZIP is recognised later. */
export type Container = 'hdf5' | 'zip' | 'json' | 'onnx'

const HDF5 = Buffer.from([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a])
const ZIP = Buffer.from([0x50, 0x4b, 0x03, 0x04])
const HEAD_BYTES = 64

export function detectContainer(window: FileWindow): Container {
  if (window.size === 0) throw loadError(`${window.name} is empty.`)
  const head = readBytes(window, 0, HEAD_BYTES)
  if (head.subarray(0, HDF5.length).equals(HDF5)) return 'hdf5'
  if (head.subarray(0, ZIP.length).equals(ZIP)) return 'zip'
  if (/^\uFEFF?\s*\{/.test(head.toString('utf8'))) return 'json'
  if (isOnnx(window)) return 'onnx'
  throw loadError(
    `${window.name} is none of the formats that can be read (HDF5, .keras, TF.js model.json, ONNX): it begins with ${quote(head.toString('latin1', 0, 12))}.`,
  )
}

export function isHdf5(head: Uint8Array): boolean {
  return HDF5.equals(head.subarray(0, HDF5.length))
}

// Fields of ONNX's ModelProto, and their wire types: 0 is a number, 2 has a length and bytes.
const FIELDS: ReadonlyMap<number, number> = new Map([
  [1, 0],
  [2, 2],
  [3, 2],
  [4, 2],
  [5, 0],
  [6, 2],
  [7, 2],
  [8, 2],
  [14, 2],
  [20, 2],
  [25, 2],
])
const GRAPH = 7
// Each metadata entry and each function is a field.
const MAX_FIELDS = 10_000
const MAX_FIELD_HEAD = 20

/** ONNX has no signature: instead, all outermost fields must be those of a model, and end where the file ends. */
function isOnnx(window: FileWindow): boolean {
  let position = 0
  let hasGraph = false
  for (let i = 0; i < MAX_FIELDS && position < window.size; i++) {
    const head = readBytes(window, position, MAX_FIELD_HEAD)
    const [tag, afterTag] = varint(head, 0)
    const [value, afterValue] = varint(head, afterTag)
    const kind = tag & 7
    if (FIELDS.get(tag >>> 3) !== kind || afterValue === 0) return false
    hasGraph ||= tag >>> 3 === GRAPH
    position += afterValue + (kind === 2 ? value : 0)
  }
  return hasGraph && position === window.size
}

/** A number with seven bits in each byte, and the position behind it; position 0 when the number does not end. */
function varint(bytes: Uint8Array, start: number): [value: number, end: number] {
  let value = 0
  for (let i = 0; i < 10; i++) {
    const byte = bytes[start + i]
    if (byte === undefined) break
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return [value, start + i + 1]
  }
  return [0, 0]
}
