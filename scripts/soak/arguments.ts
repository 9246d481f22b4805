import { number, readOptions, text } from '../shared/options.ts'

export interface Plan {
  readonly seconds: number
  /** 0: no child is killed */
  readonly killEverySeconds: number
  readonly callers: number
  /** undefined: a network for photographs by formula, and the packaged one for digits */
  readonly models: string | undefined
  /** the file that starts the service */
  readonly program: string
  /** path of the reports, without the ending */
  readonly report: string
  /** flags for the service itself */
  readonly flags: readonly string[]
}

export const USAGE = `npm run soak -- [--minutes 45] [--kill-every 30] [-- --workers 4]

Starts the service, loads it with all dialects at once while its child processes are killed, compares every answer with
the right one, and writes a report (SVG and Markdown) with a verdict.

--minutes NUMBER     duration; default 45
--kill-every NUMBER  seconds between two kills, on average; 0 for none; default 30
--callers NUMBER     callers that send one request after the other; default 12
--models LIST        models to serve, as in MODELS; default: a network for photographs by formula, and digits
--program FILE       file that starts the service, such as dist/StartService.js; default StartService.ts
--report PATH        where to write PATH.svg and PATH.md; default soak-report
--help               print this text

All flags after a second -- are flags of the service, such as --workers 4, and win over those that the soak test sets.
Ctrl-C ends the test early and writes the report of what was measured.
Exit codes: 0 the verdict is good, 1 the verdict is bad, 2 wrong options, 3 the service cannot be started, 130 Ctrl-C.
`

const KINDS = {
  minutes: number('minutes', 0.1, 1440),
  'kill-every': number('seconds', 0, 3600),
  callers: number('callers', 1, 200),
  models: text('a list of models, as in MODELS', /^[a-z0-9]/),
  program: text('a file of JavaScript or TypeScript', /\.(js|ts)$/),
  report: text('a path without an ending', /[^/\\]$/),
}

/** What the command line asks for, or undefined where it asks for help. A wrong word is a CommandError. */
export function readArguments(argv: readonly string[]): Plan | undefined {
  const options = readOptions(argv, { kinds: KINDS, hasRest: true })
  if (options === undefined) return undefined
  return {
    seconds: options.value('minutes', '45') * 60,
    killEverySeconds: options.value('kill-every', '30'),
    callers: Math.round(options.value('callers', '12')),
    models: options.optional('models'),
    program: options.value('program', 'StartService.ts'),
    report: options.value('report', 'soak-report'),
    flags: options.rest,
  }
}
