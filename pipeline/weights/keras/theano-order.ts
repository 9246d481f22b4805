import type { Hdf5Dataset } from '../hdf5/hdf5-dataset.ts'
import type { Hdf5Reader } from '../hdf5/hdf5-reader.ts'

/** The size of a map that is flattened before a Dense layer. */
export interface FlattenedMap {
  readonly height: number
  readonly width: number
  readonly channels: number
}

/** (out, in, height, width) → (height, width, in, out). If `turned`, each kernel is rotated back by 180°. */
export function correlationKernel(
  values: Float32Array,
  [out = 0, channels = 0, height = 0, width = 0]: readonly number[],
  turned: boolean,
): Float32Array {
  const result = new Float32Array(values.length)
  let from = 0
  for (let o = 0; o < out; o++) {
    for (let c = 0; c < channels; c++) {
      for (let at = 0; at < height * width; at++) {
        const to = turned ? height * width - 1 - at : at
        result[(to * channels + c) * out + o] = values[from++] ?? 0
      }
    }
  }
  return result
}

/** Reads rows in the file's order channel, y, x into the order y, x, channel. */
export async function rowsInHwcOrder(
  file: Hdf5Reader,
  dataset: Hdf5Dataset,
  map: FlattenedMap,
): Promise<Float32Array> {
  const [rows = 0, columns = 0] = dataset.shape
  const area = map.height * map.width
  const result = new Float32Array(rows * columns)
  await file.read(dataset, (block, at) => {
    // A block has whole rows, or a part of one row that is longer than a block.
    for (let i = 0; i < block.length; ) {
      const [row, column] = [Math.floor((at + i) / columns), (at + i) % columns]
      const length = Math.min(columns - column, block.length - i)
      const to = (row % area) * map.channels + Math.floor(row / area)
      result.set(block.subarray(i, i + length), to * columns + column)
      i += length
    }
  })
  return result
}
