import type { PixelView } from '../decode/pixel-view.ts'
import { inSlices } from '../decode/slices.ts'
import { type Filter, type FilterTable, filterTable, ONE, WEIGHT_BITS } from './filter-table.ts'
import type { Placement } from './placement.ts'

// A slice of about 4 ms.
const ADDITIONS_A_SLICE = 4_000_000

/**
 * Resizes to RGB, byte for byte like Pillow's BILINEAR and BICUBIC: along the rows, then along the columns, rounded to a
 * byte after each pass. (Pillow skips a pass that changes no size; the result is the same.)
 */
export async function resizeFilter(
  view: PixelView,
  { x, y }: Placement,
  filter: Filter,
): Promise<Uint8Array> {
  const across = filterTable(filter, x)
  const down = filterTable(filter, y)
  const top = down.first[0] ?? 0
  const bottom = (down.first.at(-1) ?? 0) + (down.count.at(-1) ?? 0)
  const width = x.size * 3
  // A Uint8ClampedArray clips written values at 0 and 255.
  const rows = new Uint8ClampedArray((bottom - top) * width)
  await inSlices(bottom - top, ADDITIONS_A_SLICE / (width * across.reach), (start, end) => {
    for (let row = start; row < end; row++) filterRow(view, top + row, across, rows, row * width)
  })
  const result = new Uint8ClampedArray(y.size * width)
  await inSlices(y.size, ADDITIONS_A_SLICE / (width * down.reach), (start, end) => {
    for (let row = start; row < end; row++) filterColumns(rows, top, width, down, row, result)
  })
  return new Uint8Array(result.buffer)
}

function filterRow(
  { data, origin, xStep, yStep, bandStep }: PixelView,
  row: number,
  { first, count, weights, reach }: FilterTable,
  to: Uint8ClampedArray,
  start: number,
): void {
  const line = origin + row * yStep
  let at = start
  for (let i = 0; i < first.length; i++) {
    let from = line + (first[i] as number) * xStep
    const end = i * reach + (count[i] as number)
    let red = ONE / 2
    let green = ONE / 2
    let blue = ONE / 2
    for (let j = i * reach; j < end; j++) {
      const weight = weights[j] as number
      red = (red + Math.imul(weight, data[from] as number)) | 0
      green = (green + Math.imul(weight, data[from + bandStep] as number)) | 0
      blue = (blue + Math.imul(weight, data[from + 2 * bandStep] as number)) | 0
      from = (from + xStep) | 0
    }
    to[at] = red >> WEIGHT_BITS
    to[at + 1] = green >> WEIGHT_BITS
    to[at + 2] = blue >> WEIGHT_BITS
    at += 3
  }
}

/** Computes one row of the result. Summing three channels in one loop takes half the time of three loops. */
function filterColumns(
  rows: Uint8ClampedArray,
  top: number,
  width: number,
  { first, count, weights, reach }: FilterTable,
  row: number,
  to: Uint8ClampedArray,
): void {
  const start = ((first[row] as number) - top) * width
  const end = row * reach + (count[row] as number)
  for (let k = 0; k < width; k += 3) {
    let from = start + k
    let red = ONE / 2
    let green = ONE / 2
    let blue = ONE / 2
    for (let j = row * reach; j < end; j++) {
      const weight = weights[j] as number
      red = (red + Math.imul(weight, rows[from] as number)) | 0
      green = (green + Math.imul(weight, rows[from + 1] as number)) | 0
      blue = (blue + Math.imul(weight, rows[from + 2] as number)) | 0
      from = (from + width) | 0
    }
    const at = row * width + k
    to[at] = red >> WEIGHT_BITS
    to[at + 1] = green >> WEIGHT_BITS
    to[at + 2] = blue >> WEIGHT_BITS
  }
}
