import { countText, durationText, NONE, percentText, rateText } from '../shared/figure-text.ts'
import { markdownTable, type Row } from '../shared/markdown-table.ts'
import { levelText } from './level-text.ts'
import { facts, type Report, warnings } from './report.ts'
import type { LevelResult } from './run-level.ts'

/** The report as a short text: the tables alone. */
export function reportMarkdown(report: Report): string {
  const { levels, server } = report
  const models = server.models.map(({ name, state, device, workers, version }) => [
    name,
    state,
    device ?? NONE,
    String(workers),
    version ?? NONE,
  ])
  const parts = [
    '# Stress test',
    ...warnings(report).map((sentence) => `**${sentence}**`),
    markdownTable(
      ['level', 'route', 'sent', 'failed', 'p50', 'p90', 'p95', 'p99', 'max', 'answers'],
      levels.flatMap(routeRows),
    ),
    failureTable(levels),
    markdownTable(
      [
        'level',
        'queue, max',
        'mean batch',
        'event loop of the server, worst p99 / max',
        'tester late, p99 / max',
        'tester, of one core',
      ],
      levels.map(ownFigures),
    ),
    markdownTable(['setting', 'value'], facts(report)),
    models.length === 0 ? '' : markdownTable(['model', 'state', 'device', 'workers', 'version'], models),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function routeRows({ level, routes, all, seconds }: LevelResult): Row[] {
  return [...routes, all].map(({ route, sent, answered, failed, latency }) => [
    levelText(level),
    route,
    countText(sent),
    countText(failed),
    ...[latency?.p50, latency?.p90, latency?.p95, latency?.p99, latency?.max].map(durationText),
    seconds > 0 ? rateText(answered / seconds) : NONE,
  ])
}

function failureTable(levels: readonly LevelResult[]): string {
  const rows = levels.flatMap(({ level, failures }) =>
    failures.map(({ route, code, count, latency }) => [
      levelText(level),
      route,
      code,
      countText(count),
      durationText(latency?.p50),
      durationText(latency?.max),
    ]),
  )
  if (rows.length === 0) return 'No request failed.'
  return markdownTable(['level', 'route', 'failed with', 'times', 'after, p50', 'after, max'], rows)
}

function ownFigures({ level, server, tester }: LevelResult): Row {
  return [
    levelText(level),
    server === undefined ? NONE : countText(server.maxQueued),
    server?.meanBatch?.toFixed(1) ?? NONE,
    `${durationText(server?.delayP99)} / ${durationText(server?.delayMax)}`,
    `${durationText(tester.late?.p99)} / ${durationText(tester.late?.max)}`,
    percentText(tester.busy),
  ]
}
