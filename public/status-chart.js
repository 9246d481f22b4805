import { figureText } from './figure-words.js'
import { GAP_MS, WINDOW_MS } from './status-series.js'
import { ChartTable } from './status-table.js'

const SVG = 'http://www.w3.org/2000/svg'
/** Size in the units of the SVG, which is stretched to the available width. */
const WIDTH = 900
const HEIGHT = 100
const STEPS = [1, 2, 5, 10]
/** A line through at most so many samples is hard to see, so these samples also get dots. */
const FEW = 3

/** @typedef {import('./status-table.js').Spec} Spec */

/** A small chart of the last quarter of an hour. */
export class Chart {
  #spec
  #series
  #lines
  #svg = make('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img' })
  #marks = make('path', { class: 'mark' })
  #hair = make('path', { class: 'hair' })
  #top = element('span', 'chart-top number')
  #table
  /** @type {number | undefined} position of the pointer, in milliseconds before the newest sample */
  #pointed

  /**
   * @param {Spec} spec
   * @param {import('./status-series.js').Series} series
   * @param {Element} into
   */
  constructor(spec, series, into) {
    this.#spec = spec
    this.#series = series
    const figure = element('figure', 'chart card')
    const caption = element('figcaption', 'stack stack-tight')
    const legend = element('ul', 'plain row small legend')
    this.#lines = spec.lines.map(([column, name], index) => {
      const value = element('strong', 'number')
      const item = element('li')
      item.append(element('span', `swatch line-${lineOf(column, index)}`), `${name} `, value)
      legend.append(item)
      const colour = `line-${lineOf(column, index)}`
      const path = make('path', { class: `line ${colour}` })
      return { column, name, value, path, dots: make('path', { class: `line dots ${colour}` }) }
    })
    caption.append(element('h3', '', spec.title), legend)
    const grid = make('path', {
      class: 'grid-lines',
      d: `M0 0H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT}H${WIDTH}`,
    })
    // The first line is the most important one and is drawn last, above the others.
    const paths = this.#lines.toReversed().flatMap(({ path, dots }) => [path, dots])
    this.#svg.append(grid, this.#marks, ...paths, this.#hair)
    const plot = element('div', 'plot')
    plot.append(this.#top, this.#svg)
    const axis = element('div', 'axis small muted')
    axis.append(element('span', '', '15 min ago'), element('span', '', 'now'))
    figure.append(caption, plot, axis)
    this.#table = new ChartTable(spec, series, figure)
    into.append(figure)
    this.#svg.addEventListener('pointermove', (event) => this.#point(event))
    this.#svg.addEventListener('pointerleave', () => this.#point())
  }

  draw() {
    const { t } = this.#series
    const { kind, least = 0, title, marks } = this.#spec
    const columns = this.#lines.map(({ column }) => this.#series.column(column))
    const highest = columns
      .flat()
      .reduce((/** @type {number} */ most, figure) => Math.max(most, figure ?? 0), 0)
    const scale = this.#spec.most ?? round(Math.max(highest, least))
    this.#top.textContent = figureText(scale, kind)
    for (const { column, path, dots } of this.#lines) {
      // A line of failures is not drawn where there are none.
      const all = this.#series.column(column)
      const figures = isBad(column) ? all.map((figure) => figure || null) : all
      const runs = runsOf(t, figures, scale)
      path.setAttribute('d', runs.map((points) => `M${points.join('L')}`).join(''))
      // A line of length zero has round ends, and so becomes a dot.
      const few = runs.filter((points) => points.length <= FEW).flat()
      dots.setAttribute('d', few.map((point) => `M${point}h0`).join(''))
    }
    const marked = marks ? t.filter((_, i) => (this.#series.column(marks)[i] ?? 0) > 0) : []
    this.#marks.setAttribute('d', marked.map((time) => `M${place(time, t)} 0V${HEIGHT}`).join(''))
    const now = this.#lines.map(
      ({ column, name }) => `${name} ${figureText(this.#series.latest(column, 10), kind)}`,
    )
    const restarts =
      marked.length > 0 ? `, ${marked.length === 1 ? 'one restart' : `${marked.length} restarts`}` : ''
    this.#svg.setAttribute(
      'aria-label',
      `${title}, the last 15 minutes. Now: ${now.join(', ')}. Highest: ${figureText(highest, kind)}${restarts}.`,
    )
    this.#showValues()
    this.#table.fill()
  }

  /** @param {PointerEvent} [event] */
  #point(event) {
    const box = this.#svg.getBoundingClientRect()
    this.#pointed = event && (1 - (event.clientX - box.left) / box.width) * WINDOW_MS
    this.#showValues()
  }

  /** Shows the newest figures in the legend, or the figures at the pointer. */
  #showValues() {
    const { t } = this.#series
    const at = this.#pointed === undefined ? -1 : nearest(t, (t.at(-1) ?? 0) - this.#pointed)
    this.#hair.setAttribute('d', at < 0 ? '' : `M${place(t[at] ?? 0, t)} 0V${HEIGHT}`)
    for (const { column, value } of this.#lines) {
      const figure = at < 0 ? this.#series.latest(column, 10) : this.#series.column(column)[at]
      value.textContent = figureText(figure, this.#spec.kind)
    }
  }
}

/**
 * The points of a path, one list for each run of samples without a gap.
 * @param {readonly number[]} t
 * @param {readonly (number | null)[]} figures
 * @param {number} scale
 */
function runsOf(t, figures, scale) {
  /** @type {string[][]} */
  const runs = []
  /** @type {number | undefined} */
  let before
  for (const [i, figure] of figures.entries()) {
    const time = t[i]
    if (figure === null || time === undefined) {
      before = undefined
      continue
    }
    if (before === undefined || time - before > GAP_MS) runs.push([])
    const y = HEIGHT - (Math.min(figure, scale) / scale) * HEIGHT
    runs.at(-1)?.push(`${place(time, t)} ${y.toFixed(1)}`)
    before = time
  }
  return runs
}

/**
 * @param {number} time
 * @param {readonly number[]} t
 */
function place(time, t) {
  return (WIDTH * (1 - ((t.at(-1) ?? time) - time) / WINDOW_MS)).toFixed(1)
}

/**
 * @param {readonly number[]} t
 * @param {number} time
 * @returns the index of the sample nearest to that time; -1 in a gap
 */
function nearest(t, time) {
  let best = -1
  let least = GAP_MS
  for (const [i, one] of t.entries()) {
    const away = Math.abs(one - time)
    if (away > least) continue
    best = i
    least = away
  }
  return best
}

/**
 * Rounds up to 1, 2, 5, 10, 20, 50 and so on.
 * @param {number} highest
 */
function round(highest) {
  if (highest <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(highest))
  return (STEPS.find((step) => step * power >= highest) ?? 10) * power
}

/** @param {string} column */
function isBad(column) {
  return column === 'failed' || column === 'failures'
}

/**
 * Failures have a colour of their own.
 * @param {string} column
 * @param {number} index
 */
function lineOf(column, index) {
  return isBad(column) ? 'bad' : index + 1
}

/**
 * @template {keyof SVGElementTagNameMap} Name
 * @param {Name} name
 * @param {Readonly<Record<string, string>>} attributes
 */
function make(name, attributes) {
  const made = document.createElementNS(SVG, name)
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value)
  return made
}

/** @param {string} name */
function element(name, className = '', text = '') {
  const made = document.createElement(name)
  if (className) made.className = className
  made.textContent = text
  return made
}
