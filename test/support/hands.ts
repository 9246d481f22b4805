import { distance, type Point } from './digits.ts'

/** A line from point to point. */
export type Strokes = readonly (readonly Point[])[]

/** The digits 0 to 9 as lines, in a square of side 1. */
const UPRIGHT: readonly Strokes[] = [
  [arc([0.5, 0.5], [0.3, 0.45], -90, 270)],
  [
    [
      [0.5, 0.05],
      [0.5, 0.95],
    ],
  ],
  [[...arc([0.5, 0.3], [0.27, 0.25], 190, 380), [0.2, 0.95], [0.82, 0.95]]],
  [[...arc([0.47, 0.28], [0.27, 0.23], 200, 450), ...arc([0.47, 0.73], [0.3, 0.22], -90, 160)]],
  [
    [
      [0.62, 0.95],
      [0.62, 0.05],
      [0.17, 0.65],
      [0.87, 0.65],
    ],
  ],
  [[[0.78, 0.06], [0.3, 0.06], [0.26, 0.46], ...arc([0.48, 0.67], [0.29, 0.27], -120, 140)]],
  [[[0.68, 0.06], [0.42, 0.25], ...arc([0.5, 0.69], [0.27, 0.26], 200, -160)]],
  [
    [
      [0.2, 0.07],
      [0.8, 0.07],
      [0.42, 0.95],
    ],
  ],
  [[...arc([0.5, 0.28], [0.23, 0.22], 90, 450), ...arc([0.5, 0.73], [0.28, 0.23], -90, 270)]],
  [[...arc([0.5, 0.3], [0.26, 0.25], 0, -360), [0.74, 0.5], [0.68, 0.95]]],
]

/** Three handwritings: upright, slanted, and narrow with a tremble. */
export const HANDS: readonly (readonly Strokes[])[] = [
  UPRIGHT,
  UPRIGHT.map((strokes) => written(strokes, 0.18, 0.9, 0.012)),
  UPRIGHT.map((strokes) => written(strokes, 0.1, 0.75, 0.02)),
]

function written(strokes: Strokes, slant: number, narrow: number, wave: number): Strokes {
  const move = ([x, y]: Point): Point => [
    0.5 + (x - 0.5) * narrow + slant * (0.5 - y) + wave * Math.sin(7 * y),
    y + wave * Math.sin(6 * x + 1),
  ]
  return strokes.map((points) => points.map(move))
}

function arc([x, y]: Point, [acrossX, acrossY]: Point, from: number, to: number): Point[] {
  const pieces = 24
  return Array.from({ length: pieces + 1 }, (_, i) => {
    const angle = ((from + ((to - from) * i) / pieces) * Math.PI) / 180
    return [x + acrossX * Math.cos(angle), y + acrossY * Math.sin(angle)]
  })
}

// The margin around a digit, relative to the picture's side.
const MARGIN = 0.08

/** The share of ink in each pixel of a square picture, from 0 to 1. `pen` and `side` are in pixels. */
export function lined(strokes: Strokes, side: number, pen: number): Float32Array {
  const ink = new Float32Array(side * side)
  const placed = strokes.map((points) =>
    points.map(
      ([x, y]): Point => [side * (MARGIN + (1 - 2 * MARGIN) * x), side * (MARGIN + (1 - 2 * MARGIN) * y)],
    ),
  )
  for (const points of placed) {
    for (const [at, to] of points.slice(1).entries()) line(ink, side, pen, points[at] ?? to, to)
  }
  return ink
}

function line(ink: Float32Array, side: number, pen: number, from: Point, to: Point): void {
  const near = pen / 2 + 1
  const first = (axis: 0 | 1) => Math.max(0, Math.floor(Math.min(from[axis], to[axis]) - near))
  const last = (axis: 0 | 1) => Math.min(side - 1, Math.ceil(Math.max(from[axis], to[axis]) + near))
  for (let y = first(1); y <= last(1); y++) {
    for (let x = first(0); x <= last(0); x++) {
      const away = distance([x + 0.5, y + 0.5], from, to)
      const part = Math.min(Math.max(pen / 2 - away + 0.5, 0), 1)
      const at = y * side + x
      ink[at] = Math.max(ink[at] ?? 0, part)
    }
  }
}
