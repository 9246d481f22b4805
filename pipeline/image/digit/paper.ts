import { blockMeans, dilated, eroded, type Plane, quantile } from './plane.ts'

/** The brightness of the paper at each pixel, without the ink, and whether the ink is darker than the paper. */
export interface Paper {
  readonly levels: Plane
  readonly isInkDark: boolean
  /** Whether the paper has one level everywhere, as in a drawing or a scan. */
  readonly isEven: boolean
}

// The background is even if these parts of the border and of the whole picture are within EVEN_LEVELS of one level.
const EVEN_BORDER = 0.6
const EVEN_PART = 0.35
const EVEN_LEVELS = 3
// The longer side is divided into so many blocks: fine enough for shading, which is smooth, and with little noise.
const BLOCKS = 64
// As a part of the longer side: wider than any pen stroke, narrower than a shadow that must not be taken for ink.
const WIDEST_STROKE = 0.14
// The weight of smoothness() against darkness(), which is wrong if half the picture is in shadow.
const SMOOTHNESS_COUNTS = 4
const FITS = 8

/** Estimates the paper from the border and from the larger part of the picture. */
export function findPaper(plane: Plane): Paper {
  const { values, width, height } = plane
  const edge = border(plane)
  const level = quantile(edge, 0.5)
  const isEven = partNear(edge, level) >= EVEN_BORDER && partNear(values, level) >= EVEN_PART
  if (isEven) {
    const levels = { values: new Float32Array(values.length).fill(level), width, height }
    return { levels, isInkDark: darkness(values.map((value) => value - level)) > 0, isEven }
  }
  const step = Math.max(1, Math.ceil(Math.max(width, height) / BLOCKS))
  const coarse = blockMeans(plane, step)
  const surface = smoothSurface(coarse)
  const flat = { ...coarse, values: coarse.values.map((value, i) => value - (surface.values[i] as number)) }
  const radius = Math.max(2, Math.round(Math.max(coarse.width, coarse.height) * WIDEST_STROKE))
  const isInkDark = SMOOTHNESS_COUNTS * smoothness(coarse, radius) + darkness(flat.values) > 0
  // Two estimates without ink: `direct` is right at the hard edge of a shadow, `smooth` in a dark corner.
  const direct = closed(coarse, isInkDark, radius).values
  const smooth = closed(flat, isInkDark, radius).values
  const nearer = isInkDark ? Math.min : Math.max
  const levels = {
    ...coarse,
    values: direct.map((value, i) => nearer(value, (smooth[i] as number) + (surface.values[i] as number))),
  }
  return { levels: spread(levels, step, plane), isInkDark, isEven }
}

function partNear(values: Float32Array, level: number): number {
  let count = 0
  for (let i = 0; i < values.length; i++) {
    if (Math.abs((values[i] as number) - level) <= EVEN_LEVELS) count++
  }
  return count / values.length
}

function border({ values, width, height }: Plane): Float32Array {
  const top = values.subarray(0, width)
  const bottom = values.subarray((height - 1) * width)
  const sides = Float32Array.from({ length: 2 * height }, (_, i) => {
    return values[(i >> 1) * width + (i & 1 ? width - 1 : 0)] as number
  })
  return Float32Array.from([...top, ...bottom, ...sides])
}

/** Whether the pixels that are clearly not paper are darker (towards 1) or lighter (towards -1) than the paper. */
function darkness(differences: Float32Array): number {
  const usual = quantile(differences.map(Math.abs), 0.5)
  const [dark, light] = [clear(differences, -1, usual), clear(differences, 1, usual)]
  return (dark - light) / (dark + light + 1)
}

/**
 * Towards 1 for dark ink, towards -1 for light ink, 0 when no stroke is narrow enough. Removing dark strokes makes a
 * picture with dark ink smooth; removing light strokes only closes the holes in its digits. Light ink is the reverse.
 */
function smoothness(coarse: Plane, radius: number): number {
  const [filled, thinned] = [
    roughness(closed(coarse, true, radius)),
    roughness(closed(coarse, false, radius)),
  ]
  return (thinned - filled) / (thinned + filled + 1)
}

/** The sum of the differences between neighbouring pixels. */
function roughness({ values, width }: Plane): number {
  let sum = 0
  for (let i = 1; i < values.length; i++) {
    if (i % width !== 0) sum += Math.abs((values[i] as number) - (values[i - 1] as number))
    if (i >= width) sum += Math.abs((values[i] as number) - (values[i - width] as number))
  }
  return sum
}

function clear(differences: Float32Array, sign: 1 | -1, usual: number): number {
  return differences.reduce((sum, it) => sum + (sign * it > 3 * usual + 2 ? sign * it : 0), 0)
}

/** Removes dark strokes, or light ones, by filling them with their surroundings. */
function closed(plane: Plane, isInkDark: boolean, radius: number): Plane {
  return isInkDark ? eroded(dilated(plane, radius), radius) : dilated(eroded(plane, radius), radius)
}

/** Scales blocks back to pixels, with linear interpolation between the centres of blocks. */
function spread(coarse: Plane, step: number, { width, height }: Plane): Plane {
  const values = new Float32Array(width * height)
  const place = (at: number, blocks: number) => {
    const position = Math.min(Math.max((at + 0.5) / step - 0.5, 0), blocks - 1)
    const first = Math.min(Math.floor(position), Math.max(blocks - 2, 0))
    return { first, next: Math.min(first + 1, blocks - 1), part: position - first }
  }
  const columns = Array.from({ length: width }, (_, x) => place(x, coarse.width))
  const at = (column: number, row: number) => coarse.values[row * coarse.width + column] as number
  for (let y = 0; y < height; y++) {
    const row = place(y, coarse.height)
    for (const [x, column] of columns.entries()) {
      const upper = at(column.first, row.first) * (1 - column.part) + at(column.next, row.first) * column.part
      const lower = at(column.first, row.next) * (1 - column.part) + at(column.next, row.next) * column.part
      values[y * width + x] = upper * (1 - row.part) + lower * row.part
    }
  }
  return { values, width, height }
}

/**
 * The surface of second degree with the least sum of distances to the pixels. Not of squared distances: the pixels of a
 * digit, far from the paper, would pull the surface towards them.
 */
function smoothSurface({ values, width, height }: Plane): Plane {
  const terms = Array.from(values, (_, i) => {
    const x = (i % width) / width - 0.5
    const y = Math.floor(i / width) / height - 0.5
    return [1, x, y, x * x, x * y, y * y]
  })
  let surface = new Float32Array(values.length).fill(quantile(values.slice(), 0.5))
  for (let fit = 0; fit < FITS; fit++) {
    const weights = values.map((value, i) => 1 / (Math.abs(value - (surface[i] as number)) + 1))
    const factors = leastSquares(terms, values, weights)
    surface = Float32Array.from(terms, (its) =>
      its.reduce((sum, term, k) => sum + term * (factors[k] ?? 0), 0),
    )
  }
  return { values: surface, width, height }
}

/** The factors of the terms with the least weighted sum of squares, by elimination. */
function leastSquares(terms: readonly number[][], values: Float32Array, weights: Float32Array): number[] {
  const size = terms[0]?.length ?? 0
  const rows = Array.from({ length: size }, () => new Array<number>(size + 1).fill(0))
  for (const [i, its] of terms.entries()) {
    const weight = weights[i] as number
    for (const [r, row] of rows.entries()) {
      const scaled = weight * (its[r] as number)
      for (let c = 0; c < size; c++) row[c] = (row[c] as number) + scaled * (its[c] as number)
      row[size] = (row[size] as number) + scaled * (values[i] as number)
    }
  }
  for (const [r, row] of rows.entries()) {
    // A picture of one row has no vertical slope: the pivot would be 0.
    const pivot = (row[r] as number) + 1e-6
    for (const [other, its] of rows.entries()) {
      if (other === r) continue
      const factor = (its[r] as number) / pivot
      for (let c = 0; c <= size; c++) its[c] = (its[c] as number) - factor * (row[c] as number)
    }
  }
  return rows.map((row, r) => (row[size] as number) / ((row[r] as number) + 1e-6))
}
