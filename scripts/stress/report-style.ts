import { html } from '../../lib/pages/html.ts'

/** Colours of the lines have a contrast of 3 to 1 at least against the background, in light and in dark. */
export const STYLE = html`
:root { color-scheme: light dark; --text: #1c2024; --soft: #5c6570; --edge: #d8dde3; --back: #fff; --warn: #8a3b00;
  --line-1: #0b62c4; --line-2: #b3261e; --line-3: #1a7f4b; --line-4: #7a4fc9 }
@media (prefers-color-scheme: dark) {
  :root { --text: #e7eaee; --soft: #a3adb8; --edge: #3a424b; --back: #15191d; --warn: #ffb27a;
    --line-1: #6cb0ff; --line-2: #ff8a80; --line-3: #67d69b; --line-4: #bda2ff }
}
body { margin: 0 auto; max-width: 72rem; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--text);
  background: var(--back) }
h1, h2 { line-height: 1.2; overflow-wrap: anywhere }
h2 { margin-top: 2.5rem; border-top: 1px solid var(--edge); padding-top: 1rem }
.warning { color: var(--warn); font-weight: 600 }
.scroll { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
caption { text-align: left; font-weight: 600; padding: .5rem 0 }
th, td { text-align: right; padding: .25rem .75rem; border-bottom: 1px solid var(--edge); white-space: nowrap }
th:first-child, td:first-child, .words th, .words td { text-align: left }
.words td { white-space: normal; overflow-wrap: anywhere }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 1rem }
figure { margin: 0; min-width: 0 }
figcaption { font-weight: 600 }
.legend { font-weight: 400; color: var(--soft) }
.legend > span { white-space: nowrap }
.chart { width: 100%; height: auto }
.chart text { font-size: 11px; fill: var(--soft) }
.key { width: 24px; height: 8px }
.grid { stroke: var(--edge) }
.line { fill: none; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round }
.line-1 { stroke: var(--line-1) }
.line-2 { stroke: var(--line-2); stroke-dasharray: 6 4 }
.line-3 { stroke: var(--line-3); stroke-dasharray: 2 4 }
.line-4 { stroke: var(--line-4); stroke-dasharray: 8 3 2 3 }
`
