import { drawPen, Ink } from './digits-ink.js'
import { penOf } from './page.js'

/** @typedef {import('./digits-ink.js').Point} Point */
/**
 * @typedef {object} Listener
 * @property {() => void} began a stroke begins
 * @property {() => void} finished a stroke has ended
 * @property {() => void} changed the drawing has changed
 * @property {() => void} wantsClear the user has pressed Delete
 * @property {(text: string) => void} said a message for screen readers
 */

/** Steps of the keyboard's pen, as fractions of the pad's side. */
const STEP = 1 / 28
const LONG_STEP = 4 * STEP

/** A pad to draw on with a mouse, a finger, a pen or the keyboard. */
export class Pad {
  #canvas
  #listener
  #ink = new Ink()
  // The pointer that draws. A second finger or a palm is ignored.
  /** @type {number | undefined} */
  #pointer
  // The pen of the keyboard.
  #pen = { x: 0.5, y: 0.5, isDown: false, isShown: false }
  #isPlanned = false
  /** @type {(() => void)[]} called at the end of the stroke */
  #resting = []

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Listener} listener
   */
  constructor(canvas, listener) {
    this.#canvas = canvas
    this.#listener = listener
    canvas.addEventListener('pointerdown', (event) => this.#down(event))
    canvas.addEventListener('pointermove', (event) => this.#move(event))
    for (const end of /** @type {const} */ (['pointerup', 'pointercancel', 'lostpointercapture'])) {
      canvas.addEventListener(end, (event) => this.#up(event))
    }
    canvas.addEventListener('keydown', (event) => this.#key(event))
    canvas.addEventListener('blur', () => this.#hidePen())
    new ResizeObserver(() => this.#fit()).observe(canvas)
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#plan())
  }

  get isEmpty() {
    return this.#ink.isEmpty
  }

  /** Whether a stroke is under way. */
  get isDrawing() {
    return this.#pointer !== undefined || this.#pen.isDown
  }

  /** Resolves when no stroke is under way. */
  async rest() {
    if (!this.isDrawing) return
    await /** @type {Promise<void>} */ (new Promise((resolve) => this.#resting.push(resolve)))
  }

  undo() {
    if (this.isEmpty) return
    this.#ink.undo()
    this.#changed()
    this.#finish()
  }

  /** Does not call the listener, because the listener calls clear(). */
  clear() {
    this.#ink.clear()
    this.#plan()
    this.#lift()
  }

  png() {
    return this.#ink.png()
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (this.#pointer !== undefined || event.button !== 0) return
    this.#listener.began()
    this.#pointer = event.pointerId
    this.#canvas.setPointerCapture(event.pointerId)
    this.#pen.isShown = this.#pen.isDown = false
    this.#ink.begin()
    this.#add(this.#pointOf(event))
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (event.pointerId !== this.#pointer) return
    // A fast pointer has several positions between two frames.
    const coalesced = event.getCoalescedEvents?.() ?? []
    for (const one of coalesced.length > 0 ? coalesced : [event]) this.#add(this.#pointOf(one))
  }

  /** @param {PointerEvent} event */
  #up(event) {
    if (event.pointerId !== this.#pointer) return
    this.#finish()
  }

  /**
   * @param {PointerEvent} event
   * @returns {Point}
   */
  #pointOf({ clientX, clientY }) {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect()
    return [within((clientX - left) / width), within((clientY - top) / height)]
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { key, shiftKey } = event
    const step = shiftKey ? LONG_STEP : STEP
    /** @type {Record<string, Point | undefined>} */
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }
    const move = moves[key]
    if (event.altKey || event.metaKey || (event.ctrlKey && key.toLowerCase() !== 'z')) return
    if (move) this.#movePen(...move)
    else if (key === ' ' || key === 'Enter') this.#togglePen()
    else if (key === 'Backspace' || event.ctrlKey) this.undo()
    else if (key === 'Delete') this.#listener.wantsClear()
    else return
    event.preventDefault()
  }

  /**
   * @param {number} right
   * @param {number} down
   */
  #movePen(right, down) {
    const pen = this.#pen
    pen.isShown = true
    pen.x = within(pen.x + right)
    pen.y = within(pen.y + down)
    if (pen.isDown) this.#add([pen.x, pen.y])
    else this.#plan()
  }

  #togglePen() {
    const pen = this.#pen
    pen.isShown = true
    this.#plan()
    if (pen.isDown) {
      this.#listener.said('Pen up')
      return this.#finish()
    }
    this.#listener.began()
    pen.isDown = true
    this.#ink.begin()
    this.#add([pen.x, pen.y])
    this.#listener.said('Pen down')
  }

  #hidePen() {
    this.#pen.isShown = false
    this.#plan()
    if (this.#pen.isDown) this.#finish()
  }

  #finish() {
    this.#lift()
    this.#listener.finished()
  }

  #lift() {
    this.#pointer = undefined
    this.#pen.isDown = false
    for (const go of this.#resting.splice(0)) go()
  }

  /** @param {Point} point */
  #add(point) {
    this.#ink.add(point)
    this.#changed()
  }

  #changed() {
    this.#plan()
    this.#listener.changed()
  }

  #fit() {
    const side = Math.round(this.#canvas.clientWidth * devicePixelRatio)
    if (side === 0) return
    this.#canvas.width = this.#canvas.height = side
    this.#show()
  }

  #plan() {
    if (this.#isPlanned) return
    this.#isPlanned = true
    requestAnimationFrame(() => {
      this.#isPlanned = false
      this.#show()
    })
  }

  #show() {
    const side = this.#canvas.width
    const context = penOf(this.#canvas)
    const { color, outlineColor } = getComputedStyle(this.#canvas)
    context.clearRect(0, 0, side, side)
    this.#ink.draw(context, side, color)
    if (this.#pen.isShown) drawPen(context, side, this.#pen, outlineColor)
  }
}

/** @param {number} part */
function within(part) {
  return Math.min(1, Math.max(0, part))
}
