import { type Html, html } from '../../lib/pages/html.ts'
import { PICTURE_STYLE } from '../shared/chart-style.ts'
import { durationText } from '../shared/figure-text.ts'
import { CHART_HEIGHT, CHART_WIDTH, type ChartParts, type Line, plot } from '../shared/line-chart.ts'
import { minutesText, type Report } from './report.ts'
import type { ChildSample, Sample } from './sampler.ts'
import { isGood } from './verdict.ts'

/** More points than this would fall onto the same pixels. */
const MAX_POINTS = 320
const MAX_MODELS = 3
const MIB = 2 ** 20
const HEAD = 40
const TITLE = 34
const EDGE = 8
const KEY_WIDTH = 24
const LETTER_WIDTH = 6.2
const PANEL = CHART_HEIGHT + TITLE

/** All charts, one below the other, in one picture that loads nothing and has no script. */
export function reportSvg(report: Report): string {
  const charts = chartsOf(report)
  const height = HEAD + charts.length * PANEL
  const width = CHART_WIDTH + 2 * EDGE
  const title = `Soak test of ${minutesText(report.seconds)}: ${isGood(report.checks) ? 'good' : 'BAD'}`
  const picture = html`<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 ${width} ${height}" role="img">
<title>${title}</title>
<style>${PICTURE_STYLE}
.chart { font-family: system-ui, sans-serif }
.chart .head { font-size: 16px; font-weight: 600 }
.chart .title { font-size: 13px; font-weight: 600 }
</style>
<rect class="back" width="${width}" height="${height}"/>
<text class="head strong" x="${EDGE}" y="24">${title}</text>
${charts.map((chart, i) => panel(chart, HEAD + i * PANEL))}
</svg>
`
  return picture.toString()
}

function panel(chart: ChartParts, top: number): Html {
  let x = EDGE
  const legend = chart.lines.map(({ name }, i) => {
    const at = x
    x += KEY_WIDTH + 20 + name.length * LETTER_WIDTH
    return html`<path class="line line-${i + 1}" d="M${at} ${top + 24}h${KEY_WIDTH}"/><text x="${at + KEY_WIDTH + 6}" y="${top + 28}">${name}</text>`
  })
  return html`<g><text class="title strong" x="${EDGE}" y="${top + 12}">${chart.title}</text>${legend}
<svg x="${EDGE}" y="${top + TITLE}" width="${CHART_WIDTH}" height="${CHART_HEIGHT}" viewBox="0 0 ${CHART_WIDTH} ${CHART_HEIGHT}">
${plot(chart)}
</svg></g>
`
}

function chartsOf({ samples, kills }: Report): ChartParts[] {
  const groups = grouped(samples)
  const at = groups.map((group) => group.at(-1)?.at ?? 0)
  const marks = kills.map((kill) => kill.at)
  const models = [...new Set(samples.flatMap(({ children }) => children.map(({ model }) => model)))]
    .sort()
    .slice(0, MAX_MODELS)
  const line = (name: string, read: (sample: Sample) => number | undefined): Line => ({
    name,
    values: groups.map((group) => largest(group.map(read))),
  })
  const rate = (name: string, read: (sample: Sample) => number): Line => ({
    name,
    values: groups.map((group, i) => perSecond(groups[i - 1]?.at(-1), group.at(-1), read)),
  })
  const ofOldest = (model: string, read: (child: ChildSample) => number): Line =>
    line(`oldest child of ${model}`, ({ children }) => {
      const oldest = children.find((child) => child.model === model)
      return oldest && read(oldest)
    })
  return [
    {
      title: 'Private memory, with kills as ticks',
      at,
      marks,
      lines: [
        line('web process', ({ web }) => web && web.privateBytes / MIB),
        ...models.map((model) => ofOldest(model, ({ privateBytes }) => privateBytes / MIB)),
      ],
      text: (mib) => `${short(mib)} MiB`,
    },
    agesOf(samples, models),
    {
      title: 'Descriptors and handles',
      at,
      lines: [
        line('descriptors of the web process', ({ web }) => web?.descriptors),
        line('its active handles', ({ server }) => server?.handles),
        line('descriptors of all children', ({ children }) =>
          children.reduce((sum, { descriptors }) => sum + descriptors, 0),
        ),
      ],
      text: short,
    },
    {
      title: 'Delay of the event loop of the web process',
      at,
      lines: [
        line('p50', ({ server }) => server?.delay.p50),
        line('p99', ({ server }) => server?.delay.p99),
        line('max', ({ server }) => server?.delay.max),
      ],
      text: durationText,
    },
    {
      title: 'Waiting',
      at,
      lines: [
        line('requests without an answer', ({ open }) => open),
        line('queue', ({ server }) => server?.queued),
        line('calls in the children', ({ server }) => server?.inFlight),
      ],
      text: short,
    },
    {
      title: 'Requests per second',
      at,
      lines: [
        rate('right', ({ counts }) => counts.right),
        rate('left by the client', ({ counts }) => counts.left),
        rate('refused', ({ counts }) => counts.refused),
        rate('wrong, lost or hung', ({ counts }) => counts.wrong + counts.lost + counts.hung),
      ],
      text: short,
    },
  ]
}

/** Children of all restarts beside each other: at each age, the median of their memory. */
function agesOf(samples: readonly Sample[], models: readonly string[]): ChartParts {
  const children = samples.flatMap((sample) => sample.children)
  const oldest = Math.max(1, ...children.map(({ age }) => age))
  const step = Math.max(1, Math.ceil(oldest / MAX_POINTS))
  const at = Array.from({ length: Math.ceil(oldest / step) }, (_, i) => i * step)
  const lines = models.map((model) => {
    const byAge = at.map((): number[] => [])
    for (const child of children) {
      if (child.model === model) byAge[Math.floor(child.age / step)]?.push(child.privateBytes / MIB)
    }
    const lives = new Set(children.filter((child) => child.model === model).map(({ pid }) => pid)).size
    return { name: `${model}, ${lives} children`, values: byAge.map(median) }
  })
  return { title: 'Private memory of children by age, median', at, lines, text: (mib) => `${short(mib)} MiB` }
}

function short(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(1)
}

function grouped(samples: readonly Sample[]): Sample[][] {
  const size = Math.max(1, Math.ceil(samples.length / MAX_POINTS))
  return Array.from({ length: Math.ceil(samples.length / size) }, (_, i) =>
    samples.slice(i * size, (i + 1) * size),
  )
}

function largest(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : Math.max(...known)
}

function median(values: number[]): number | undefined {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)]
}

function perSecond(
  before: Sample | undefined,
  last: Sample | undefined,
  read: (sample: Sample) => number,
): number | undefined {
  if (last === undefined) return undefined
  const since = before ?? { at: 0 }
  const count = read(last) - (before === undefined ? 0 : read(before))
  return last.at > since.at ? count / (last.at - since.at) : undefined
}
