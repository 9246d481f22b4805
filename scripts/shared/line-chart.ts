import { type Html, html } from '../../lib/pages/html.ts'

export interface Line {
  readonly name: string
  /** undefined: nothing was measured, and the line has a gap */
  readonly values: readonly (number | undefined)[]
}

export interface ChartParts {
  readonly title: string
  /** seconds, one for each value of a line */
  readonly at: readonly number[]
  readonly lines: readonly Line[]
  readonly text: (value: number) => string
  /** seconds at which something happened: ticks on the time axis */
  readonly marks?: readonly number[]
}

export const CHART_WIDTH = 640
export const CHART_HEIGHT = 180
const LEFT = 64
const RIGHT = 8
const TOP = 8
const BOTTOM = 24
const GRID_LINES = 4
const MARK_HEIGHT = 5

/** Lines over time as an SVG with its legend: up to four of them, told apart by colour and by dashes. */
export function lineChart(parts: ChartParts): Html {
  const { title, lines } = parts
  const legend = lines.map(
    ({ name }, i) =>
      html`<span><svg class="key" viewBox="0 0 24 8" aria-hidden="true"><path class="line line-${i + 1}" d="M0 4H24"/></svg> ${name}</span> `,
  )
  return html`<figure>
<figcaption>${title} <span class="legend">${legend}</span></figcaption>
<svg class="chart" viewBox="0 0 ${CHART_WIDTH} ${CHART_HEIGHT}" role="img" aria-label="${title}">
${plot(parts)}
</svg>
</figure>`
}

/** The content of the SVG: grid, scales and lines. */
export function plot({ at, lines, text, marks = [] }: ChartParts): Html {
  const top = niceTop(
    Math.max(0, ...lines.flatMap(({ values }) => values.filter((value) => value !== undefined))),
  )
  const end = Math.max(1, at.at(-1) ?? 1)
  const x = (seconds: number) => LEFT + (seconds / end) * (CHART_WIDTH - LEFT - RIGHT)
  const y = (value: number) => CHART_HEIGHT - BOTTOM - (value / top) * (CHART_HEIGHT - TOP - BOTTOM)
  const grid = Array.from({ length: GRID_LINES + 1 }, (_, i) => (top * i) / GRID_LINES).map(
    (
      value,
    ) => html`<line class="grid" x1="${LEFT}" x2="${CHART_WIDTH - RIGHT}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}"/>
<text x="${LEFT - 6}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end">${value === 0 ? 0 : text(value)}</text>`,
  )
  const ticks = marks.map(
    (seconds) =>
      html`<path class="mark" d="M${x(seconds).toFixed(1)} ${CHART_HEIGHT - BOTTOM}v-${MARK_HEIGHT}"/>`,
  )
  const paths = lines.map(
    ({ values }, i) => html`<path class="line line-${i + 1}" d="${pathOf(values, at, x, y)}"/>`,
  )
  const times = [0, end / 2, end].map(
    (seconds, i) =>
      html`<text x="${x(seconds).toFixed(1)}" y="${CHART_HEIGHT - 6}" text-anchor="${['start', 'middle', 'end'][i]}">${Math.round(seconds)} s</text>`,
  )
  return html`${grid}${times}${ticks}${paths}`
}

function pathOf(
  values: Line['values'],
  at: readonly number[],
  x: (seconds: number) => number,
  y: (value: number) => number,
): string {
  let isDown = false
  const steps = values.map((value, i) => {
    if (value === undefined) {
      isDown = false
      return ''
    }
    const place = `${x(at[i] ?? 0).toFixed(1)} ${y(value).toFixed(1)}`
    // A single value between two gaps is a dot: the line cap makes it visible.
    const step = isDown ? `L${place}` : `M${place}L${place}`
    isDown = true
    return step
  })
  return steps.join('') || 'M0 0'
}

/** The smallest of 1, 2, 4, 6, 8 and 10 times a power of ten that is not below the value. */
function niceTop(value: number): number {
  if (value <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return power * ([1, 2, 4, 6, 8].find((factor) => factor * power >= value) ?? 10)
}
