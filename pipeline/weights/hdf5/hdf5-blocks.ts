/** A part of an array, read in one call. */
export interface Block {
  readonly offset: readonly number[]
  readonly count: readonly number[]
  readonly elements: number
}

/**
 * The size of a block. The bytes pass through the memory of the HDF5 library, which grows and never shrinks: read in
 * one call, VGG-16's largest array would keep 411 MB of that memory, besides the 411 MB of the result.
 */
const BLOCK_BYTES = 4 * 2 ** 20
/** Blocks that end where chunks end may be larger, so that each chunk is unpacked only once. */
const MAX_CHUNKED_BLOCK_BYTES = 64 * 2 ** 20

/** Cuts an array into blocks that follow each other in memory. */
export function blocks(
  shape: readonly number[],
  elementBytes: number,
  chunks: readonly number[] | null,
): Block[] {
  if (shape.some((size) => size === 0)) return []
  const axis = splitAxis(shape, elementBytes)
  const rowElements = product(shape.slice(axis + 1))
  const step = rowsAtOnce(shape[axis] ?? 1, rowElements * elementBytes, chunks?.[axis])
  const found: Block[] = []
  for (const before of positions(shape.slice(0, axis))) {
    for (let row = 0; row < (shape[axis] ?? 1); row += step) {
      const rows = Math.min(step, (shape[axis] ?? 1) - row)
      const rest = shape.slice(axis + 1)
      found.push({
        offset: [...before, row, ...rest.map(() => 0)].slice(0, shape.length),
        count: [...before.map(() => 1), rows, ...rest].slice(0, shape.length),
        elements: rows * rowElements,
      })
    }
  }
  return found
}

/** The first axis along which one row fits into a block. */
function splitAxis(shape: readonly number[], elementBytes: number): number {
  const axis = shape.findIndex((_, i) => product(shape.slice(i + 1)) * elementBytes <= BLOCK_BYTES)
  return Math.max(axis, 0)
}

function rowsAtOnce(rows: number, rowBytes: number, chunkRows: number | undefined): number {
  const few = Math.max(1, Math.floor(BLOCK_BYTES / rowBytes))
  if (chunkRows === undefined) return Math.min(rows, few)
  const whole = Math.max(1, Math.floor(few / chunkRows)) * chunkRows
  return Math.min(rows, whole * rowBytes <= MAX_CHUNKED_BLOCK_BYTES ? whole : few)
}

function positions(sizes: readonly number[]): number[][] {
  return sizes.reduce<number[][]>(
    (all, size) => all.flatMap((before) => Array.from({ length: size }, (_, i) => [...before, i])),
    [[]],
  )
}

const product = (sizes: readonly number[]): number => sizes.reduce((total, size) => total * size, 1)
