/** One number for each pixel, row by row. */
export interface Plane {
  readonly values: Float32Array
  readonly width: number
  readonly height: number
}

/** Rounds and clips to 0 to 255. A loop, because `Uint8Array.from` with a function takes ten times as long. */
export function bytesOf(values: Float32Array): Uint8Array {
  const bytes = new Uint8ClampedArray(values.length)
  for (let i = 0; i < values.length; i++) bytes[i] = values[i] as number
  return new Uint8Array(bytes.buffer)
}

/** The mean of each block of `step` × `step` pixels; blocks at the edges may be smaller. */
export function blockMeans({ values, width, height }: Plane, step: number): Plane {
  const columns = Math.ceil(width / step)
  const rows = Math.ceil(height / step)
  const means = new Float32Array(columns * rows)
  const counts = new Uint32Array(columns * rows)
  for (let y = 0; y < height; y++) {
    const row = Math.floor(y / step) * columns
    for (let x = 0; x < width; x++) {
      const block = row + Math.floor(x / step)
      means[block] = (means[block] as number) + (values[y * width + x] as number)
      counts[block] = (counts[block] as number) + 1
    }
  }
  return { values: means.map((sum, block) => sum / (counts[block] as number)), width: columns, height: rows }
}

/** The largest value within `radius` of each pixel, along rows and then along columns. */
export function dilated(plane: Plane, radius: number): Plane {
  const { width, height } = plane
  const across = new Float32Array(width * height)
  const values = new Float32Array(width * height)
  for (let y = 0; y < height; y++) maxima(plane.values, across, y * width, 1, width, radius)
  for (let x = 0; x < width; x++) maxima(across, values, x, width, height, radius)
  return { values, width, height }
}

/** The smallest value within `radius` of each pixel, along rows and then along columns. */
export function eroded({ values, width, height }: Plane, radius: number): Plane {
  const turned = dilated({ values: values.map((value) => -value), width, height }, radius)
  return { values: turned.values.map((value) => -value), width, height }
}

/** The sliding maximum along one line. A queue with falling values makes the cost independent of the radius. */
function maxima(
  from: Float32Array,
  to: Float32Array,
  start: number,
  step: number,
  length: number,
  radius: number,
): void {
  const queue = new Int32Array(length)
  let first = 0
  let end = 0
  for (let i = 0; i < length + radius; i++) {
    if (i < length) {
      const value = from[start + i * step] as number
      while (end > first && (from[start + (queue[end - 1] as number) * step] as number) <= value) end--
      queue[end++] = i
    }
    const middle = i - radius
    if (middle < 0) continue
    while ((queue[first] as number) < middle - radius) first++
    to[start + middle * step] = from[start + (queue[first] as number) * step] as number
  }
}

// Enough to find a quantile to a fraction of a percent; sorting all pixels would take longer than all the rest.
const SAMPLE = 4096

/** The value below which the given part of the values lies: 0.5 gives the median. */
export function quantile(values: Float32Array, part: number): number {
  const step = Math.max(1, Math.ceil(values.length / SAMPLE))
  const sample = new Float32Array(Math.ceil(values.length / step))
  for (let i = 0; i < sample.length; i++) sample[i] = values[i * step] as number
  sample.sort()
  return sample[Math.min(sample.length - 1, Math.floor(sample.length * part))] ?? 0
}

/** Smooths with the weights ¼, ½, ¼, along rows and then along columns. */
export function softened({ values, width, height }: Plane): Plane {
  const across = new Float32Array(values.length)
  const result = new Float32Array(values.length)
  for (let i = 0; i < values.length; i++) {
    const x = i % width
    const left = values[x > 0 ? i - 1 : i] as number
    const right = values[x < width - 1 ? i + 1 : i] as number
    across[i] = (left + 2 * (values[i] as number) + right) / 4
  }
  for (let i = 0; i < values.length; i++) {
    const above = across[i >= width ? i - width : i] as number
    const below = across[i < values.length - width ? i + width : i] as number
    result[i] = (above + 2 * (across[i] as number) + below) / 4
  }
  return { values: result, width, height }
}
