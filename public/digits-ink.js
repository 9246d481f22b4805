import { penOf } from './page.js'

/** @typedef {[x: number, y: number]} Point */

/** Width of the pen. Lengths are fractions of the pad's side, so that a drawing is the same at every size. */
const PEN = 0.075
/** Width of the pen as a fraction of the drawing's longer side: about that of the digits in the training data. */
const SENT_PEN = 0.11
/** Enough for an hour of drawing. Further points are ignored. */
const MAX_POINTS = 20_000
/** Sides of the sent picture and of the digit in that picture. The service scales the digit to 20 pixels. */
const SENT_SIDE = 280
const SENT_DIGIT = 200

/** The drawing: strokes, each a list of points. */
export class Ink {
  /** @type {Point[][]} */
  #strokes = []
  #points = 0

  get isEmpty() {
    return this.#strokes.length === 0
  }

  begin() {
    this.#strokes.push([])
  }

  /** @param {Point} point */
  add(point) {
    if (this.#points >= MAX_POINTS) return
    this.#strokes.at(-1)?.push(point)
    this.#points++
  }

  /** Removes the last stroke. */
  undo() {
    this.#points -= this.#strokes.pop()?.length ?? 0
  }

  clear() {
    this.#strokes = []
    this.#points = 0
  }

  /**
   * The drawing as PNG, black on white whatever the colours of the page are. The drawing is enlarged to the full size and
   * the pen is set anew: the lines of a small digit would otherwise run into each other.
   * @returns {Promise<Blob>}
   */
  png() {
    const canvas = document.createElement('canvas')
    canvas.width = canvas.height = SENT_SIDE
    const context = penOf(canvas)
    context.fillStyle = '#fff'
    context.fillRect(0, 0, SENT_SIDE, SENT_SIDE)
    const { left, top, width, height } = this.#box()
    const longer = Math.max(width, height)
    // A drawing that is not longer than the pen is wide is a dot.
    const pen = longer < PEN ? PEN : SENT_PEN * longer
    const scale = SENT_DIGIT / (longer + pen)
    context.translate(SENT_SIDE / 2 - (left + width / 2) * scale, SENT_SIDE / 2 - (top + height / 2) * scale)
    this.draw(context, scale, '#000', pen)
    return new Promise((resolve, reject) => {
      canvas.toBlob(
        (blob) =>
          blob ? resolve(blob) : reject(new Error('The drawing could not be turned into a picture.')),
        'image/png',
      )
    })
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} side
   * @param {string} colour
   */
  draw(context, side, colour, pen = PEN) {
    context.lineWidth = pen * side
    context.lineCap = context.lineJoin = 'round'
    context.strokeStyle = colour
    for (const points of this.#strokes) {
      context.beginPath()
      trace(
        context,
        points.map(([x, y]) => /** @type {Point} */ ([x * side, y * side])),
      )
      context.stroke()
    }
  }

  #box() {
    let [left, top, right, bottom] = [1, 1, 0, 0]
    for (const [x, y] of this.#strokes.flat()) {
      left = Math.min(left, x)
      right = Math.max(right, x)
      top = Math.min(top, y)
      bottom = Math.max(bottom, y)
    }
    return { left, top, width: right - left, height: bottom - top }
  }
}

/**
 * Draws the keyboard's pen as a circle, filled while the pen is down.
 * @param {CanvasRenderingContext2D} context
 * @param {number} side
 * @param {{ x: number, y: number, isDown: boolean }} pen
 * @param {string} colour
 */
export function drawPen(context, side, { x, y, isDown }, colour) {
  context.beginPath()
  context.arc(x * side, y * side, (PEN * side) / 2, 0, 2 * Math.PI)
  context.lineWidth = side / 140
  context.strokeStyle = colour
  context.fillStyle = isDown ? colour : 'transparent'
  context.fill()
  context.stroke()
}

/**
 * Draws curves between the midpoints of neighbouring points, so that the points leave no corners.
 * @param {CanvasRenderingContext2D} context
 * @param {readonly Point[]} points
 */
function trace(context, points) {
  const [first, ...rest] = points
  if (first === undefined) return
  context.moveTo(...first)
  // A line of length zero has round ends, and so becomes a dot.
  if (rest.length === 0) context.lineTo(...first)
  for (const [i, [x, y]] of rest.entries()) {
    const next = rest[i + 1]
    if (next) context.quadraticCurveTo(x, y, (x + next[0]) / 2, (y + next[1]) / 2)
    else context.lineTo(x, y)
  }
}
