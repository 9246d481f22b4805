import { countText, durationText } from '../shared/figure-text.ts'
import { markdownTable } from '../shared/markdown-table.ts'
import { minutesText, type Report } from './report.ts'
import { OUTCOMES, type RouteTally } from './tally.ts'
import { isGood } from './verdict.ts'

const WORDS = new Map([
  [true, 'good'],
  [false, 'BAD'],
  [undefined, 'too short to tell'],
])

/** The report as tables: the verdict, the requests, what went wrong, and how it was measured. */
export function reportMarkdown(report: Report): string {
  const { checks, routes, all, faults, endedEarly, seconds, logLines } = report
  const parts = [
    `# Soak test: ${isGood(checks) ? 'good' : 'BAD'}`,
    endedEarly ? `**Ended early, after ${minutesText(seconds)}.**` : '',
    markdownTable(
      ['check', 'measured', 'limit', 'verdict'],
      checks.map(({ what, measured, limit, isGood }) => [what, measured, limit, WORDS.get(isGood) ?? '']),
    ),
    markdownTable(
      ['requests', 'asked', ...OUTCOMES, 'retries', 'p50', 'p99', 'max'],
      [...[...routes].sort((a, b) => (a.route < b.route ? -1 : 1)), all].map(cells),
    ),
    faults.length === 0
      ? ''
      : markdownTable(
          ['at', 'request', 'outcome', 'why'],
          faults.map(({ at, route, outcome, why }) => [`${at.toFixed(1)} s`, route, outcome, why]),
        ),
    logLines.length === 0
      ? ''
      : markdownTable(
          ['errors of the service'],
          logLines.map((line) => [line]),
        ),
    markdownTable(['setting', 'value'], factsOf(report)),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function cells({ route, asked, retries, latency, ...counts }: RouteTally): string[] {
  return [
    route,
    countText(asked),
    ...OUTCOMES.map((outcome) => countText(counts[outcome])),
    countText(retries),
    ...[latency?.p50, latency?.p99, latency?.max].map(durationText),
  ]
}

function factsOf(report: Report): [name: string, value: string][] {
  const { plan, seconds, kills, childrenStarted, settleSeconds, startedAt, samples } = report
  const killed = kills.reduce((sum, { pids }) => sum + pids.length, 0)
  return [
    ['begin', startedAt.toISOString()],
    ['duration', minutesText(seconds)],
    ['callers', String(plan.callers)],
    ['kills', `${countText(kills.length)}, of ${countText(killed)} children`],
    ['children started', countText(childrenStarted)],
    ['samples', countText(samples.length)],
    ['growth measured', `after the first ${minutesText(settleSeconds)}, of the test and of each child`],
    ['service', [plan.program, ...plan.flags].join(' ')],
    ['models', plan.models ?? 'MobileNet 0.25 with weights by formula, and digits'],
    ['machine', report.machine],
    ['Tandem', report.checkout],
  ]
}
