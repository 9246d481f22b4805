import { type Html, html } from '../../lib/pages/html.ts'

/** Text and lines have a contrast of 3 to 1 at least against the background. */
const LIGHT = {
  text: '#1c2024',
  soft: '#5c6570',
  edge: '#d8dde3',
  back: '#fff',
  warn: '#8a3b00',
  'line-1': '#0b62c4',
  'line-2': '#b3261e',
  'line-3': '#1a7f4b',
  'line-4': '#7a4fc9',
}
const DARK: typeof LIGHT = {
  text: '#e7eaee',
  soft: '#a3adb8',
  edge: '#3a424b',
  back: '#15191d',
  warn: '#ffb27a',
  'line-1': '#6cb0ff',
  'line-2': '#ff8a80',
  'line-3': '#67d69b',
  'line-4': '#bda2ff',
}

/** The colours as variables of a page. */
export const PALETTE = html`
:root { color-scheme: light dark; ${variables(LIGHT)} }
@media (prefers-color-scheme: dark) {
  :root { ${variables(DARK)} }
}
`

/** The dashes tell the lines apart without their colours. */
const SHAPES = html`
.chart text { font-size: 11px }
.line { fill: none; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round }
.line-2 { stroke-dasharray: 6 4 }
.line-3 { stroke-dasharray: 2 4 }
.line-4 { stroke-dasharray: 8 3 2 3 }
`

/** For charts in a page that has the PALETTE. */
export const CHART_STYLE = html`${SHAPES}${coloured((name) => `var(--${name})`)}`

/** For a picture by itself: programs other than browsers know no variables. */
export const PICTURE_STYLE = html`${SHAPES}${coloured((name) => LIGHT[name])}
@media (prefers-color-scheme: dark) {${coloured((name) => DARK[name])}}
`

function variables(colours: typeof LIGHT): string {
  return Object.entries(colours)
    .map(([name, colour]) => `--${name}: ${colour}`)
    .join('; ')
}

function coloured(colour: (name: keyof typeof LIGHT) => string): Html {
  const lines = (['line-1', 'line-2', 'line-3', 'line-4'] as const).map(
    (name) => `.${name} { stroke: ${colour(name)} }\n`,
  )
  return html`
.chart text { fill: ${colour('soft')} }
.chart .strong { fill: ${colour('text')} }
.back { fill: ${colour('back')} }
.grid { stroke: ${colour('edge')} }
.mark { stroke: ${colour('soft')} }
${lines}`
}
