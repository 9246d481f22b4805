import { penOf } from './page.js'

/** @typedef {[x: number, y: number]} Point */

/** All measures are parts of the pad's side: a drawing is the same at every size. */
const PEN = 0.075
/** A part of the drawing's longer side: about as thick as those that the model has learned from. */
const SENT_PEN = 0.11
/** A drawing of an hour; what comes after it is not taken. */
const MAX_POINTS = 20_000
/** Side of the picture that is sent, and of the digit in it, which becomes 20 pixels high. */
const SENT_SIDE = 280
const SENT_DIGIT = 200

/** What has been drawn: strokes, each a list of points. */
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

  /** Takes back the last stroke. */
  undo() {
    this.#points -= this.#strokes.pop()?.length ?? 0
  }

  clear() {
    this.#strokes = []
    this.#points = 0
  }

  /**
   * Black on white whatever the colours of the page are, as PNG. What is sent is as large as it can be, and its lines as
   * thick as they should be for that: those of a small digit would otherwise run into each other.
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
    // What is no longer than the pen is thick was meant as a dot.
    const pen = longer < PEN ? PEN : SENT_PEN * longer
    const scale = SENT_DIGIT / (longer + pen)
    context.translate(SENT_SIDE / 2 - (left + width / 2) * scale, SENT_SIDE / 2 - (top + height / 2) * scale)
    this.draw(context, scale, '#000', pen)
    return new Promise((resolve, reject) => {
      canvas.toBlob(
        (blob) => (blob ? resolve(blob) : reject(new Error('The drawing became no picture.'))),
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
 * Where the pen of the keyboard is, filled while it is down.
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
 * Curves from the middle of one piece to the middle of the next, so that no corner shows where a point was.
 * @param {CanvasRenderingContext2D} context
 * @param {readonly Point[]} points
 */
function trace(context, points) {
  const [first, ...rest] = points
  if (first === undefined) return
  context.moveTo(...first)
  // A line of no length has round ends: a dot.
  if (rest.length === 0) context.lineTo(...first)
  for (const [i, [x, y]] of rest.entries()) {
    const next = rest[i + 1]
    if (next) context.quadraticCurveTo(x, y, (x + next[0]) / 2, (y + next[1]) / 2)
    else context.lineTo(x, y)
  }
}
