import type { PixelView } from '../decode/pixel-view.ts'
import type { AxisPlacement, Placement } from './placement.ts'

/** Resizes to RGB, byte for byte like Pillow's NEAREST. Reads only the pixels of the result. */
export function resizeNearest(view: PixelView, { x, y }: Placement): Uint8Array {
  const { data, origin, bandStep } = view
  const columns = offsets(x, view.xStep)
  const rows = offsets(y, view.yStep)
  const result = new Uint8Array(rows.length * columns.length * 3)
  let to = 0
  // Indices are a fifth faster than iterators here.
  for (let row = 0; row < rows.length; row++) {
    const start = origin + (rows[row] as number)
    for (let column = 0; column < columns.length; column++) {
      const from = start + (columns[column] as number)
      result[to] = data[from] as number
      result[to + 1] = data[from + bandStep] as number
      result[to + 2] = data[from + 2 * bandStep] as number
      to += 3
    }
  }
  return result
}

function offsets({ source, scaled, start, size }: AxisPlacement, step: number): Int32Array {
  const taken = new Int32Array(size)
  const scale = source / scaled
  // Added up as in Pillow: for some sizes, (i + 0.5) * scale would give another pixel.
  let position = scale * 0.5
  for (let i = 0; i < start + size; i++) {
    if (i >= start) taken[i - start] = Math.min(Math.trunc(position), source - 1) * step
    position += scale
  }
  return taken
}
