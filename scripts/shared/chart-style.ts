import { html } from '../../lib/pages/html.ts'

/** Colours of text and lines, with a contrast of 3 to 1 at least against the background, in light and in dark. */
export const PALETTE = html`
:root { color-scheme: light dark; --text: #1c2024; --soft: #5c6570; --edge: #d8dde3; --back: #fff; --warn: #8a3b00;
  --line-1: #0b62c4; --line-2: #b3261e; --line-3: #1a7f4b; --line-4: #7a4fc9 }
@media (prefers-color-scheme: dark) {
  :root { --text: #e7eaee; --soft: #a3adb8; --edge: #3a424b; --back: #15191d; --warn: #ffb27a;
    --line-1: #6cb0ff; --line-2: #ff8a80; --line-3: #67d69b; --line-4: #bda2ff }
}
`

/** For the marks of a chart. The dashes tell the lines apart without their colours. */
export const CHART_STYLE = html`
.chart text { font-size: 11px; fill: var(--soft) }
.grid { stroke: var(--edge) }
.mark { stroke: var(--soft) }
.line { fill: none; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round }
.line-1 { stroke: var(--line-1) }
.line-2 { stroke: var(--line-2); stroke-dasharray: 6 4 }
.line-3 { stroke: var(--line-3); stroke-dasharray: 2 4 }
.line-4 { stroke: var(--line-4); stroke-dasharray: 8 3 2 3 }
`
