import sharp from 'sharp'

type Point = readonly [x: number, y: number]
type Colour = readonly [red: number, green: number, blue: number]

export const BLACK: Colour = [0, 0, 0]
export const WHITE: Colour = [255, 255, 255]

const SIDE = 140
const PEN = 5

/** A PNG of a four drawn with a pen. */
export function four(ink = BLACK, paper = WHITE): Promise<Buffer> {
  const strokes: Point[][] = [
    [
      [65, 22],
      [34, 78],
      [104, 78],
    ],
    [
      [82, 46],
      [82, 118],
    ],
  ]
  return drawn(strokes, ink, paper)
}

/** A drawn one; each `number` gives an image with other bytes. */
export function one(number = 0): Promise<Buffer> {
  return drawn(
    [
      [
        [70, 20 + (number % 10)],
        [70 + Math.floor(number / 10), 118],
      ],
    ],
    BLACK,
    WHITE,
  )
}

/** Not made from SVG, which a pipeline in the same process has disabled in sharp. */
function drawn(strokes: readonly Point[][], ink: Colour, paper: Colour): Promise<Buffer> {
  const lines = strokes.flatMap((points) =>
    points.slice(1).map((point, i) => [points[i] ?? point, point] as const),
  )
  const pixels = Buffer.alloc(SIDE * SIDE * 3)
  for (let at = 0; at < SIDE * SIDE; at++) {
    const pixel: Point = [at % SIDE, Math.floor(at / SIDE)]
    const isInk = lines.some(([from, to]) => distance(pixel, from, to) <= PEN)
    pixels.set(isInk ? ink : paper, at * 3)
  }
  return sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 3 } })
    .png()
    .toBuffer()
}

/** The distance from a point to the line between two others. */
function distance([x, y]: Point, [fromX, fromY]: Point, [toX, toY]: Point): number {
  const [alongX, alongY] = [toX - fromX, toY - fromY]
  const along = ((x - fromX) * alongX + (y - fromY) * alongY) / (alongX ** 2 + alongY ** 2)
  const part = Math.min(1, Math.max(0, along))
  return Math.hypot(x - fromX - part * alongX, y - fromY - part * alongY)
}
