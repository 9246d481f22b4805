import { type Html, html } from '../../lib/pages/html.ts'
import { bytesText, countText, durationText, NONE, percentText, rateText } from '../shared/figure-text.ts'
import { lineChart } from '../shared/line-chart.ts'
import type { ServerFigures } from '../shared/server-figures.ts'
import { levelText } from './level-text.ts'
import type { RouteResult } from './recorder.ts'
import { facts, type Report, warnings } from './report.ts'
import { STYLE } from './report-style.ts'
import type { LevelResult } from './run-level.ts'
import { meanBatch, type ServerSummary } from './server-summary.ts'

const LATENCIES = ['p50', 'p90', 'p95', 'p99', 'max'] as const
const ROUTE_HEAD = ['sent', 'answered', 'failed', ...LATENCIES, 'answers']

/** One file that loads nothing from elsewhere and has no script. The markup is XML as well, so that tools can read it. */
export function reportHtml(report: Report): string {
  const { plan, levels, server, startedAt } = report
  const title = `Stress test of ${plan.url.origin}`
  const page = html`<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p>${startedAt.toISOString()}. Latencies are of answered requests; failed ones are listed with their own.</p>
${warnings(report).map((sentence) => html`<p class="warning">${sentence}</p>`)}
${table(
  'All levels',
  ['level', ...ROUTE_HEAD],
  levels.map((result) => [levelText(result.level), ...routeCells(result.all, result.seconds)]),
)}
${levels.map(levelSection)}
<h2>How it was measured</h2>
${table('Test', ['setting', 'value'], facts(report), 'words')}
${modelTable(server.models)}
</main>
</body>
</html>
`
  return page.toString()
}

function levelSection(result: LevelResult): Html {
  const { level, routes, all, seconds, failures, server, tester } = result
  const failed = failures.map(({ route, code, count, latency }) => [
    route,
    code,
    countText(count),
    durationText(latency?.p50),
    durationText(latency?.max),
  ])
  return html`<section>
<h2>${levelText(level)}</h2>
<p>${seconds.toFixed(1)} s until the last answer${result.endedEarly ? ', ended early' : ''}.</p>
${table(
  'Requests by route',
  ['route', ...ROUTE_HEAD],
  [...routes, all].map((row) => [row.route, ...routeCells(row, seconds)]),
)}
${failed.length === 0 ? html`<p>No request failed.</p>` : table('Failed requests', ['route', 'code', 'times', 'after, p50', 'after, max'], failed)}
<div class="charts">${chartsOf(result)}</div>
${server === undefined ? html`<p>The server told none of its own figures.</p>` : serverTables(server)}
<p>The tester itself was late by ${durationText(tester.late?.p50)} at p50, ${durationText(tester.late?.p99)} at p99 and
${durationText(tester.late?.max)} at most. Its event loop was delayed by ${durationText(tester.delayP99)} at p99 and
${durationText(tester.delayMax)} at most. It used ${percentText(tester.busy)} of one core.</p>
</section>
`
}

function routeCells({ sent, answered, failed, latency }: RouteResult, seconds: number): string[] {
  return [
    ...[sent, answered, failed].map(countText),
    ...LATENCIES.map((name) => durationText(latency?.[name])),
    seconds > 0 ? rateText(answered / seconds) : NONE,
  ]
}

function chartsOf({ points }: LevelResult): Html[] {
  const at = points.map((point) => point.at)
  const server = <T>(read: (figures: ServerFigures) => T) =>
    points.map((point) => (point.server === undefined ? undefined : read(point.server)))
  const batches = points.map((point, i) => {
    const before = points[i - 1]?.server
    return before === undefined || point.server === undefined ? undefined : meanBatch(before, point.server)
  })
  const latency = (name: (typeof LATENCIES)[number]) => ({
    name,
    values: points.map((point) => point.latency?.[name]),
  })
  const short = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(1))
  return [
    lineChart({
      title: 'Answers per second',
      at,
      lines: [
        { name: 'answered', values: points.map((point) => point.answeredPerSecond) },
        { name: 'failed', values: points.map((point) => point.failedPerSecond) },
      ],
      text: short,
    }),
    lineChart({
      title: 'Latency',
      at,
      lines: [latency('p50'), latency('p99'), latency('max')],
      text: durationText,
    }),
    lineChart({
      title: 'Waiting',
      at,
      lines: [
        { name: 'requests without an answer', values: points.map((point) => point.open) },
        { name: 'queue of the server', values: server(({ queued }) => queued) },
        { name: 'calls in the child', values: server(({ inFlight }) => inFlight) },
      ],
      text: short,
    }),
    lineChart({ title: 'Calls per batch', at, lines: [{ name: 'mean', values: batches }], text: short }),
    lineChart({
      title: 'Delay of the server’s event loop',
      at,
      lines: [
        { name: 'p50', values: server(({ delay }) => delay.p50) },
        { name: 'p99', values: server(({ delay }) => delay.p99) },
        { name: 'max', values: server(({ delay }) => delay.max) },
      ],
      text: durationText,
    }),
  ]
}

function serverTables(server: ServerSummary): Html {
  const rows = [
    ['longest queue', countText(server.maxQueued)],
    ['most calls in the child', countText(server.maxInFlight)],
    ['batches', countText(server.batches)],
    ['calls per batch, mean', server.meanBatch?.toFixed(2) ?? NONE],
    ['predictions that were not computed (cache, or an equal image)', countText(server.cached)],
    ['event loop, worst p99 of an interval', durationText(server.delayP99)],
    ['event loop, longest delay', durationText(server.delayMax)],
    ['children restarted', countText(server.restarts)],
    ['memory of the web process, most', bytesText(server.residentBytes)],
    ['CPU of the web process', `${server.cpuSeconds.toFixed(1)} s`],
  ]
  const sizes = server.batchSizes.map(({ upTo, count }) => [sizeText(upTo), countText(count)])
  return html`${table('The server', ['figure', 'value'], rows)}
${sizes.length > 0 && table('Batches by size', ['calls', 'batches'], sizes)}`
}

function sizeText(upTo: number): string {
  if (upTo === Infinity) return 'more'
  return upTo <= 2 ? String(upTo) : `${upTo / 2 + 1} to ${upTo}`
}

function modelTable(models: Report['server']['models']): Html {
  if (models.length === 0) return html`<p>The server told of no models.</p>`
  const rows = models.map(({ name, state, device, reason, workers, version, input, labels }) => [
    name,
    state,
    device ?? NONE,
    reason ?? NONE,
    String(workers),
    version ?? NONE,
    input === null ? NONE : `${input.width} × ${input.height}`,
    labels === null ? NONE : countText(labels),
  ])
  const head = ['model', 'state', 'device', 'why', 'workers', 'version', 'input', 'labels']
  return table('Models of the server at the begin', head, rows, 'words')
}

function table(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  kind = 'numbers',
): Html {
  return html`<div class="scroll" role="group" aria-label="${caption}" tabindex="0"><table class="${kind}">
<caption>${caption}</caption>
<thead><tr>${head.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
</table></div>`
}
