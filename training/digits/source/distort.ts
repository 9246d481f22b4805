import { INPUT_SIZE } from './network.ts'
import { around, type Random } from './random.ts'

// The largest changes after which a digit still looks handwritten.
const ROTATION = (15 * Math.PI) / 180
const SHEAR = 0.25
const SCALE = 0.15
const SHIFT = 2.5
// Bending: each knot of a coarse grid has a random displacement, and the displacements between knots are interpolated.
const KNOTS = 5
const WAVE = 1.6
// Thinner and thicker pens: the faint edge of a stroke becomes black or white.
const INK_SHIFT = 70
const INK_CONTRAST = 1.2

const CENTER = (INPUT_SIZE - 1) / 2

/** Distorts a digit as if another person had written it. Values from 0 to 1, white on black. */
export function distort(
  pixels: Uint8Array,
  from: number,
  to: Float32Array,
  at: number,
  random: Random,
): void {
  const angle = around(random, ROTATION)
  const [wide, high] = [Math.exp(around(random, SCALE)), Math.exp(around(random, SCALE))]
  const slant = around(random, SHEAR)
  const [shiftX, shiftY] = [around(random, SHIFT), around(random, SHIFT)]
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const waveX = waves(random)
  const waveY = waves(random)
  const contrast = 1 + random() * INK_CONTRAST
  const brightness = around(random, INK_SHIFT)
  for (let row = 0; row < INPUT_SIZE; row++) {
    const y = row - CENTER - shiftY
    for (let column = 0; column < INPUT_SIZE; column++) {
      const x = column - CENTER - shiftX
      const place = row * INPUT_SIZE + column
      const sourceX = (cos * x + sin * y + slant * y) * wide + CENTER + (waveX[place] as number)
      const sourceY = (cos * y - sin * x) * high + CENTER + (waveY[place] as number)
      const ink = sample(pixels, from, sourceX, sourceY)
      const changed = ink === 0 ? 0 : (ink - 128) * contrast + 128 + brightness * (ink / 255)
      to[at + place] = Math.min(Math.max(changed, 0), 255) / 255
    }
  }
}

function sample(pixels: Uint8Array, from: number, x: number, y: number): number {
  const left = Math.floor(x)
  const top = Math.floor(y)
  const right = x - left
  const below = y - top
  const at = (column: number, row: number) =>
    column < 0 || row < 0 || column >= INPUT_SIZE || row >= INPUT_SIZE
      ? 0
      : (pixels[from + row * INPUT_SIZE + column] as number)
  const upper = at(left, top) * (1 - right) + at(left + 1, top) * right
  const lower = at(left, top + 1) * (1 - right) + at(left + 1, top + 1) * right
  return upper * (1 - below) + lower * below
}

/** A random displacement for each pixel, interpolated between knots by cubic B-splines. */
function waves(random: Random): Float32Array {
  const knots = Float32Array.from({ length: (KNOTS + 3) ** 2 }, () => around(random, 2 * WAVE))
  const field = new Float32Array(INPUT_SIZE * INPUT_SIZE)
  for (let row = 0; row < INPUT_SIZE; row++) {
    for (let column = 0; column < INPUT_SIZE; column++) {
      let sum = 0
      for (let i = 0; i < 4; i++) {
        const first = ((SPLINE_FIRST[row] as number) + i) * (KNOTS + 3) + (SPLINE_FIRST[column] as number)
        for (let j = 0; j < 4; j++) {
          const weight = (SPLINE[row * 4 + i] as number) * (SPLINE[column * 4 + j] as number)
          sum += weight * (knots[first + j] as number)
        }
      }
      field[row * INPUT_SIZE + column] = sum
    }
  }
  return field
}

// For each row or column: the first knot that acts on it, and the weights of that knot and the next ones.
const SPLINE_FIRST = new Int32Array(INPUT_SIZE)
const SPLINE = new Float32Array(INPUT_SIZE * 4)
for (let place = 0; place < INPUT_SIZE; place++) {
  const position = (place / INPUT_SIZE) * KNOTS
  const first = Math.floor(position)
  const t = position - first
  SPLINE_FIRST[place] = first
  SPLINE.set(
    [
      (1 - t) ** 3 / 6,
      (3 * t ** 3 - 6 * t ** 2 + 4) / 6,
      (-3 * t ** 3 + 3 * t ** 2 + 3 * t + 1) / 6,
      t ** 3 / 6,
    ],
    place * 4,
  )
}
