import { listNames, loadError, quote, unsupported } from '../source/model-file-error.ts'
import { field, isObject } from '../source/parse-json.ts'

/** A tensor of a group. Tensors lie in the group's shards one right after the other. */
export interface TfjsTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly coding: Coding
  /** The offset in the bytes of all shards of the group together. */
  readonly start: number
  readonly bytes: number
}

export type Coding =
  | { readonly kind: 'float32' }
  | { readonly kind: 'int32' }
  | { readonly kind: 'bool' }
  | { readonly kind: 'float16' }
  | { readonly kind: 'uint8'; readonly scale: number; readonly min: number }
  | { readonly kind: 'uint16'; readonly scale: number; readonly min: number }

export interface TfjsGroup {
  /** The names of files beside model.json, in the order of their bytes. */
  readonly shards: readonly string[]
  readonly tensors: readonly TfjsTensor[]
  readonly bytes: number
}

/** Far more than any model has: a shard has 4 MB, and a layer has two or three arrays. */
const MAX_SHARDS = 10_000
const MAX_TENSORS = 50_000
const MAX_RANK = 8

const ELEMENT_BYTES = { float32: 4, int32: 4, bool: 1, float16: 2, uint16: 2, uint8: 1 } as const

// A plain file name: no folder, drive or URL, and no character that could encode one.
const FILE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.\- ]{0,199}$/

/** The weights listed in model.json, checked before any other file is opened. */
export function readManifest(manifest: unknown, what: string): TfjsGroup[] {
  if (!Array.isArray(manifest)) throw loadError(`${what} has no weightsManifest.`)
  const groups = manifest.map((group: unknown) => readGroup(group, what))
  const tensors = groups.reduce((total, group) => total + group.tensors.length, 0)
  const shards = groups.reduce((total, group) => total + group.shards.length, 0)
  if (tensors > MAX_TENSORS) throw loadError(`${what} lists ${tensors} arrays, the limit is ${MAX_TENSORS}.`)
  if (shards > MAX_SHARDS) throw loadError(`${what} lists ${shards} shards, the limit is ${MAX_SHARDS}.`)
  return groups
}

function readGroup(group: unknown, what: string): TfjsGroup {
  const [paths, weights] = [field(group, 'paths'), field(group, 'weights')]
  if (!Array.isArray(paths) || !Array.isArray(weights))
    throw loadError(`${what} has a group without paths or weights.`)
  const shards = paths.map((path: unknown) => shardName(path, what))
  let bytes = 0
  const tensors = weights.map((weight: unknown) => {
    const tensor = readTensor(weight, bytes, what)
    bytes += tensor.bytes
    return tensor
  })
  if (!Number.isSafeInteger(bytes)) {
    throw loadError(`${what} declares ${bytes} bytes for ${listNames(tensors.map(({ name }) => name))}.`)
  }
  return { shards, tensors, bytes }
}

function shardName(path: unknown, what: string): string {
  if (typeof path === 'string' && FILE_NAME.test(path)) return path
  throw loadError(`${what} names the shard ${quote(path)}, which is not the name of a file beside it.`)
}

function readTensor(weight: unknown, start: number, what: string): TfjsTensor {
  const [name, shape] = [field(weight, 'name'), field(weight, 'shape')]
  if (typeof name !== 'string') throw loadError(`${what} lists an array without a name.`)
  if (!isShape(shape)) throw loadError(`In ${what}, array ${quote(name)} has the shape ${quote(shape)}.`)
  const coding = readCoding(weight, name, what)
  const bytes = shape.reduce((product, size) => product * size, 1) * ELEMENT_BYTES[coding.kind]
  return { name, shape, coding, start, bytes }
}

function isShape(shape: unknown): shape is number[] {
  return (
    Array.isArray(shape) &&
    shape.length <= MAX_RANK &&
    shape.every((size) => Number.isSafeInteger(size) && Number(size) >= 0)
  )
}

function readCoding(weight: unknown, name: string, what: string): Coding {
  const [dtype, packed] = [field(weight, 'dtype'), field(weight, 'quantization')]
  // Whole numbers are axes, shapes and counts; as floats they are exact.
  if (dtype === 'int32' || dtype === 'bool') return { kind: dtype }
  if (dtype !== 'float32') {
    throw unsupported(
      `In ${what}, array ${quote(name)} holds ${quote(dtype)}; float32 can be read, and int32 and bool for shapes and axes.`,
    )
  }
  if (packed === undefined) return { kind: 'float32' }
  const [kind, scale, min] = [field(packed, 'dtype'), field(packed, 'scale'), field(packed, 'min')]
  if (!isObject(packed) || (kind !== 'float16' && kind !== 'uint8' && kind !== 'uint16')) {
    throw unsupported(
      `In ${what}, array ${quote(name)} is quantized to ${quote(kind)}; float16, uint8 and uint16 can be read.`,
    )
  }
  if (kind === 'float16') return { kind }
  if (typeof scale === 'number' && typeof min === 'number') return { kind, scale, min }
  throw loadError(`In ${what}, array ${quote(name)} is quantized without a scale and a min.`)
}
