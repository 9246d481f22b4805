import type { FileWindow } from '../source/file-window.ts'
import { listNames, loadError, quote, unsupported } from '../source/model-file-error.ts'
import type { Hdf5Metadata } from './hdf5-module.ts'

/** An array in a file, checked but not yet read. */
export interface Hdf5Dataset {
  readonly path: string
  readonly shape: readonly number[]
  readonly elementBytes: 4 | 8
  readonly chunks: readonly number[] | null
  /** A single whole number, such as the number of images that a Normalization has counted. Never read. */
  readonly isCount?: boolean
}

/** A whole chunk is unpacked at once, in the library's memory. h5py's own choice is at most 1 MB. */
const MAX_CHUNK_BYTES = 64 * 2 ** 20
/** The best ratio that deflate can reach: a file that declares more than its size times this is damaged. */
const MAX_DEFLATE_RATIO = 1032

const INTEGER = 0
const FLOAT = 1
// Filters that are part of the library: deflate, shuffle, Fletcher's checksum.
const FILTERS: ReadonlySet<number> = new Set([1, 2, 3])
const DEFLATE = 1

/** Checks everything about an array that can be checked before its numbers are read. */
export function checkedDataset(
  { name, size: fileBytes }: FileWindow,
  path: string,
  { type, size, shape, chunks, virtual_sources: sources }: Hdf5Metadata,
  filters: readonly { id: number; name: string }[],
): Hdf5Dataset {
  const what = `In ${name}, array ${quote(path)}`
  if (sources) {
    const others = listNames(sources.map((source) => source.file_name))
    throw loadError(`${what} is a virtual dataset over other files (${others}), which is refused.`)
  }
  const isCount = type === INTEGER && (shape ?? []).length === 0
  if (type !== FLOAT && !isCount) throw loadError(`${what} does not hold floating-point numbers.`)
  if (size !== 4 && size !== 8)
    throw unsupported(`${what} holds numbers of ${size} bytes; 4 and 8 can be read.`)
  const foreign = filters.find(({ id }) => !FILTERS.has(id))
  if (foreign) {
    const filter = foreign.name === '' ? String(foreign.id) : quote(foreign.name)
    throw unsupported(`${what} is compressed by the filter ${filter}; gzip can be read.`)
  }
  const bytes = product(shape ?? []) * size
  const most = fileBytes * (filters.some(({ id }) => id === DEFLATE) ? MAX_DEFLATE_RATIO : 1)
  if (bytes > most) throw loadError(`${what} declares ${bytes} bytes, the whole file has ${fileBytes}.`)
  const chunkBytes = product(chunks ?? []) * size
  if (chunks && chunkBytes > MAX_CHUNK_BYTES) {
    throw unsupported(`${what} is stored in chunks of ${chunkBytes} bytes, the limit is ${MAX_CHUNK_BYTES}.`)
  }
  return { path, shape: shape ?? [], elementBytes: size, chunks, ...(isCount && { isCount }) }
}

const product = (sizes: readonly number[]): number => sizes.reduce((total, size) => total * size, 1)
