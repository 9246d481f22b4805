import { blockMeans, dilated, eroded, type Plane, quantile } from './plane.ts'

/** How light the paper is at each pixel, the ink taken away, and whether the ink is darker than it. */
export interface Paper {
  readonly levels: Plane
  readonly isInkDark: boolean
  /** One level everywhere, as a program draws it or a scanner sees it. */
  readonly isEven: boolean
}

// Of a picture with an even background, at least so much of the border and of everything is within a few levels of one.
const EVEN_BORDER = 0.6
const EVEN_PART = 0.35
const EVEN_LEVELS = 6
// Shading is smooth: blocks as these show all of it, and hardly any noise.
const BLOCKS = 64
// Of the longer side: wider than the stroke of any pen, and narrower than a shadow that has to be told from ink.
const WIDEST_STROKE = 0.14
const FITS = 12

/** What the paper looks like is learned from the border, and from the larger part of the picture. */
export function findPaper(plane: Plane): Paper {
  const { values, width, height } = plane
  const level = quantile(border(plane), 0.5)
  const isNear = (value: number) => Math.abs(value - level) <= EVEN_LEVELS
  const isEven =
    border(plane).filter(isNear).length >= EVEN_BORDER * border(plane).length &&
    values.filter(isNear).length >= EVEN_PART * values.length
  if (isEven) {
    const levels = { values: new Float32Array(values.length).fill(level), width, height }
    return { levels, isInkDark: isDarker(plane, levels), isEven }
  }
  const step = Math.max(1, Math.ceil(Math.max(width, height) / BLOCKS))
  const coarse = blockMeans(plane, step)
  const isInkDark = isDarker(coarse, smoothSurface(coarse))
  return { levels: spread(closed(coarse, isInkDark), step, plane), isInkDark, isEven }
}

function border({ values, width, height }: Plane): Float32Array {
  const top = values.subarray(0, width)
  const bottom = values.subarray((height - 1) * width)
  const sides = Float32Array.from({ length: 2 * height }, (_, i) => {
    return values[(i >> 1) * width + (i & 1 ? width - 1 : 0)] as number
  })
  return Float32Array.from([...top, ...bottom, ...sides])
}

/** On which side of the paper there is more that is clearly not paper. */
function isDarker({ values }: Plane, levels: Plane): boolean {
  const differences = values.map((value, i) => value - (levels.values[i] as number))
  const usual = quantile(differences.map(Math.abs), 0.5)
  return differences.reduce((sum, it) => sum + (Math.abs(it) > 3 * usual + 2 ? it : 0), 0) < 0
}

/** Fills dark strokes up with what is around them, or takes light ones away. */
function closed(plane: Plane, isInkDark: boolean): Plane {
  const radius = Math.max(2, Math.round(Math.max(plane.width, plane.height) * WIDEST_STROKE))
  return isInkDark ? eroded(dilated(plane, radius), radius) : dilated(eroded(plane, radius), radius)
}

/** From blocks back to pixels, in straight lines between the middles of blocks. */
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
 * The surface of second degree from which the pixels are least far away in sum. Not in squares: a digit that is far from
 * the paper must not pull it.
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

/** The factors of the terms with the smallest weighted sum of squares, by elimination. */
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
    // A picture of one row has no slope down it.
    const pivot = (row[r] as number) + 1e-6
    for (const [other, its] of rows.entries()) {
      if (other === r) continue
      const factor = (its[r] as number) / pivot
      for (let c = 0; c <= size; c++) its[c] = (its[c] as number) - factor * (row[c] as number)
    }
  }
  return rows.map((row, r) => (row[size] as number) / ((row[r] as number) + 1e-6))
}
