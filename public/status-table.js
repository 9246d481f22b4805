import { clockText } from './clock-text.js'
import { figureText } from './figure-words.js'

/**
 * @typedef {object} Spec
 * @property {string} title
 * @property {import('./figure-words.js').FigureKind} kind of figure
 * @property {readonly (readonly [column: string, name: string])[]} lines
 * @property {'max' | 'mean'} fold how the table sums up a minute
 * @property {number} [least] least height of the scale
 * @property {number} [most] fixed height of the scale
 * @property {string} [marks] a column whose events are marked
 */
/** @typedef {import('./status-series.js').Series} Series */

const MINUTE_MS = 60_000

/** The figures of a chart as a table with a row for each minute. The table is made when the user opens it. */
export class ChartTable {
  #spec
  #series
  #details = document.createElement('details')
  /** @type {number | undefined} the minute in which the table was made; a change every second would disturb a reader */
  #minute

  /**
   * @param {Spec} spec
   * @param {Series} series
   * @param {Element} into
   */
  constructor(spec, series, into) {
    this.#spec = spec
    this.#series = series
    this.#details.className = 'small'
    this.#details.append(element('summary', 'As a table'))
    this.#details.addEventListener('toggle', () => this.fill())
    into.append(this.#details)
  }

  fill() {
    const minute = Math.floor((this.#series.t.at(-1) ?? 0) / MINUTE_MS)
    if (!this.#details.open || minute === this.#minute) return
    this.#minute = minute
    this.#details.querySelector('table')?.remove()
    this.#details.append(this.#make())
  }

  #make() {
    const { fold, kind, lines } = this.#spec
    const table = document.createElement('table')
    table.className = 'number'
    table.append(element('caption', fold === 'max' ? 'Highest of each minute' : 'Mean of each minute'))
    const head = table.createTHead().insertRow()
    head.append(...['Minute', ...lines.map(([, name]) => name)].map((text) => headOf(text, 'col')))
    const body = table.createTBody()
    for (const [start, places] of minutesOf(this.#series.t)) {
      const row = body.insertRow()
      row.append(headOf(clockText(start).slice(0, 5), 'row'))
      for (const [column] of lines) {
        const all = this.#series.column(column)
        const figures = places.flatMap((i) => all[i] ?? [])
        row.insertCell().textContent = figureText(folded(figures, fold), kind)
      }
    }
    return table
  }
}

/**
 * The indices of the samples of each minute, latest minute first.
 * @param {readonly number[]} t
 */
function minutesOf(t) {
  /** @type {Map<number, number[]>} */
  const minutes = new Map()
  for (const [i, time] of t.entries()) {
    const start = Math.floor(time / MINUTE_MS) * MINUTE_MS
    minutes.set(start, [...(minutes.get(start) ?? []), i])
  }
  return [...minutes].reverse()
}

/**
 * @param {readonly number[]} figures
 * @param {Spec['fold']} fold
 */
function folded(figures, fold) {
  if (figures.length === 0) return null
  if (fold === 'max') return Math.max(...figures)
  return figures.reduce((sum, figure) => sum + figure, 0) / figures.length
}

/** @param {string} name */
function element(name, text = '') {
  const made = document.createElement(name)
  made.textContent = text
  return made
}

/**
 * @param {string} text
 * @param {string} scope
 */
function headOf(text, scope) {
  const head = document.createElement('th')
  head.textContent = text
  head.scope = scope
  return head
}
