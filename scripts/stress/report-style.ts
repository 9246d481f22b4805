import { html } from '../../lib/pages/html.ts'
import { CHART_STYLE, PALETTE } from '../shared/chart-style.ts'

export const STYLE = html`${PALETTE}
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
.key { width: 24px; height: 8px }
${CHART_STYLE}`
