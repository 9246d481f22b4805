import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import sharp from 'sharp'
import { shared } from './shared.ts'

const SIDE = 28

/** MNIST images that the digit model was not trained on: every eighth, sorted by digit, as the model card says. */
export function validationDigits(): { label: number; pixels: Uint8Array }[] {
  const read = (name: string) => gunzipSync(readFileSync(shared('data', 'digits', name)))
  const labels = read('digits-labels-idx1-ubyte.gz').subarray(8)
  const images = read('digits-images-idx3-ubyte.gz').subarray(16)
  const sorted = [...labels.keys()].sort((a, b) => (labels[a] ?? 0) - (labels[b] ?? 0) || a - b)
  return sorted
    .filter((_, at) => at % 8 === 0)
    .map((index) => ({
      label: labels[index] ?? 0,
      pixels: Uint8Array.from(images.subarray(index * SIDE * SIDE, (index + 1) * SIDE * SIDE)),
    }))
}

export function encoded(pixels: Uint8Array, width = SIDE, height = SIDE): Promise<Buffer> {
  return sharp(pixels, { raw: { width, height, channels: 1 } })
    .png({ compressionLevel: 1 })
    .toBuffer()
}

export type Point = readonly [x: number, y: number]

/** Lines from point to point in a square of side 1. */
export const STROKES = {
  1: [
    [0.44, 0.24],
    [0.52, 0.15],
    [0.52, 0.85],
  ],
  7: [
    [0.25, 0.18],
    [0.75, 0.18],
    [0.42, 0.85],
  ],
} as const satisfies Record<number, readonly Point[]>

export interface Drawing {
  digit: keyof typeof STROKES
  width: number
  height?: number
  /** The square that the digit is drawn into. */
  left?: number
  top?: number
  side?: number
  /** Thickness of the lines, relative to the square's side. */
  pen?: number
}

/** The share of ink in each pixel, from 0 to 1. */
export function drawn({ digit, width, height = width, ...rest }: Drawing): Float32Array {
  const { left = 0, top = 0, side = Math.min(width, height), pen = 0.1 } = rest
  return Float32Array.from({ length: width * height }, (_, i) => {
    const x = (i % width) + 0.5 - left
    const y = Math.floor(i / width) + 0.5 - top
    const points: readonly Point[] = STROKES[digit]
    const away = points.slice(1).map((to, at) => distance([x / side, y / side], points[at] ?? to, to))
    return Math.min(Math.max((pen / 2 - Math.min(...away)) * side + 0.5, 0), 1)
  })
}

export function distance([x, y]: Point, [fromX, fromY]: Point, [toX, toY]: Point): number {
  const [alongX, alongY] = [toX - fromX, toY - fromY]
  const part = ((x - fromX) * alongX + (y - fromY) * alongY) / (alongX ** 2 + alongY ** 2)
  const inside = Math.min(Math.max(part, 0), 1)
  return Math.hypot(x - fromX - inside * alongX, y - fromY - inside * alongY)
}

/** Grey levels of a drawing: the paper's where there is no ink, the ink's where there is. */
export function inked(ink: Float32Array, paper: number, level: number): Uint8Array {
  return Uint8Array.from(ink, (part) => Math.round(paper + (level - paper) * part))
}

/** In per cent, from the card of the model. */
export function claimedAccuracy(card: string): number {
  return Number(/\| accuracy \| \*\*([\d.]+) %\*\*/.exec(card)?.[1])
}
