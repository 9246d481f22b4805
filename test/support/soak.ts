import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { programArgs, programFile } from './program.ts'
import { type EndOfProgram, type StartedProgram, startProgram } from './started-program.ts'
import { temporaryFolder } from './temporary-folder.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

export interface SoakRun extends StartedProgram {
  readonly end: Promise<SoakEnd>
}

export interface SoakEnd extends EndOfProgram {
  /** path of the report, without the ending */
  readonly report: string
}

/** `npm run soak` in a process of its own, with its report in a new folder. */
export function startSoak(args: readonly string[], flags: readonly string[]): SoakRun {
  const report = join(temporaryFolder(), 'report')
  const own = ['--report', report, '--program', programFile('StartService.ts'), ...args]
  const run = startProgram([...programArgs('scripts/soak/run.ts'), ...own, '--', ...flags], { cwd: ROOT })
  return { ...run, end: run.end.then((end) => ({ ...end, report })) }
}
