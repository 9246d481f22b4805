import { PipelineError } from '../../errors.ts'
import { type FileWindow, readBytes } from './file-window.ts'
import { loadError, quote } from './model-file-error.ts'
import { BlockReader, wireFields } from './wire-fields.ts'

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

/** ONNX has no signature: instead, all outermost fields must be those of a model, and end where the file ends. */
function isOnnx(window: FileWindow): boolean {
  let count = 0
  let hasGraph = false
  try {
    for (const { number, kind } of wireFields(new BlockReader(window), 0, window.size)) {
      if (FIELDS.get(number) !== kind || ++count > MAX_FIELDS) return false
      hasGraph ||= number === GRAPH
    }
  } catch (error) {
    if (error instanceof PipelineError) return false
    throw error
  }
  return hasGraph
}
