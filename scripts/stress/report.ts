import type { Plan } from './arguments.ts'
import type { ServerAbout } from './look-at-server.ts'
import type { LevelResult } from './run-level.ts'

/** All that the HTML report and the Markdown report show. */
export interface Report {
  readonly plan: Plan
  readonly startedAt: Date
  readonly machine: string
  readonly checkout: string
  readonly server: ServerAbout
  readonly pictures: PicturesSent
  readonly levels: readonly LevelResult[]
  readonly endedEarly: boolean
}

export interface PicturesSent {
  readonly count: number
  readonly meanBytes: number
  /** Pictures of which the server may have kept the answer. */
  readonly repeated: number
}

/** A tester that is later than this at its p99 measures itself. */
const LATE_MS = 50

/** What a reader must know before the figures are believed: a sentence each. */
export function warnings({ levels, pictures, plan, endedEarly }: Report): string[] {
  const late = levels.some(({ tester }) => (tester.late?.p99 ?? 0) > LATE_MS)
  const cut = levels.reduce((sum, { all }) => sum + all.cut, 0)
  const untold = levels.some(({ server }) => server === undefined)
  return [
    endedEarly && `The user ended the test early; ${cut} requests were cut off without an answer.`,
    late &&
      `The tester sent requests more than ${LATE_MS} ms late at p99: the figures contain its own delay. ` +
        'Run the tester on a machine that has a core free.',
    plan.same && 'The same pictures were sent again: the server may have answered from its cache.',
    !plan.same &&
      pictures.repeated > 0 &&
      `${pictures.repeated} of ${pictures.count} pictures are neither JPEG nor PNG and were sent unchanged: the server may ` +
        'have answered them from its cache.',
    untold && 'The server did not tell its own figures (/metrics) in every level.',
  ].filter((sentence) => sentence !== false)
}

/** How the test was made, as rows of name and value. */
export function facts(report: Report): [name: string, value: string][] {
  const { plan, startedAt, pictures, server } = report
  const [min, max] = plan.think
  return [
    ['Server', plan.url.origin],
    ['Model', plan.model ?? 'the choice of the server for /predict'],
    ['Begin', startedAt.toISOString()],
    ['Level', `${Math.round(plan.secondsPerLevel * 100) / 100} s, and the time until the last answer`],
    ['Requests', 'GET / and POST /predict, one to three'],
    ['Think time of a user', `${min} to ${max} s`],
    ['Timeout', `${plan.timeoutMs / 1000} s`],
    [
      'Pictures',
      `${pictures.count} ${plan.images === undefined ? 'by formula' : 'from a folder'}, ${Math.round(pictures.meanBytes / 1000)} KB on average, ` +
        (plan.same ? 'repeated' : 'each copy with a number of its own'),
    ],
    ['Machine of the tester', report.machine],
    ['Tandem of the tester', report.checkout],
    ['Node of the server', server.node ?? 'not told'],
  ]
}
