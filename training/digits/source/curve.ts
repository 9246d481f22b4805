import { writeFileSync } from 'node:fs'

export interface Point {
  readonly epoch: number
  readonly loss: number
  /** On the validation part. */
  readonly accuracy: number
}

const WIDTH = 640
const HEIGHT = 360
const LEFT = 60
const RIGHT = 20
const TOP = 30
const BOTTOM = 45
// The lower end of the scale: only the first epochs lie below, and would flatten the rest of the curve.
const LOWEST = 0.97

/** Draws the accuracy on the validation part after each epoch, as an SVG. */
export function drawCurve(file: string, points: readonly Point[]): void {
  const last = Math.max(...points.map(({ epoch }) => epoch))
  const x = (epoch: number) => LEFT + ((WIDTH - LEFT - RIGHT) * epoch) / last
  const y = (accuracy: number) =>
    TOP + ((HEIGHT - TOP - BOTTOM) * (1 - Math.max(accuracy, LOWEST))) / (1 - LOWEST)
  const line = points
    .map(({ epoch, accuracy }) => `${x(epoch).toFixed(1)},${y(accuracy).toFixed(1)}`)
    .join(' ')
  const levels = [0.97, 0.98, 0.99, 1].map(
    (level) =>
      `<path d="M${LEFT} ${y(level)}H${WIDTH - RIGHT}" stroke="#bbb"/>` +
      `<text x="${LEFT - 8}" y="${y(level) + 4}" text-anchor="end">${level * 100} %</text>`,
  )
  const marks = [0, 0.25, 0.5, 0.75, 1].map((part) => Math.round(part * last))
  const epochs = marks.map(
    (epoch) => `<text x="${x(epoch)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${epoch}</text>`,
  )
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${LEFT}" y="18">Accuracy on the validation part after each epoch</text>`,
    ...levels,
    ...epochs,
    `<text x="${WIDTH / 2}" y="${HEIGHT - 8}" text-anchor="middle">epoch</text>`,
    `<polyline points="${line}" fill="none" stroke="#06c" stroke-width="2"/>`,
    '</svg>',
  ]
  writeFileSync(file, `${svg.join('\n')}\n`)
}
