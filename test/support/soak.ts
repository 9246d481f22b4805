import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PLACES } from './environment.ts'
import { closeAfterRun } from './leftovers.ts'
import { programArgs, programFile } from './program.ts'
import { temporaryFolder } from './temporary-folder.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

export interface SoakRun {
  readonly child: ChildProcess
  readonly stdout: () => string
  readonly end: Promise<SoakEnd>
}

export interface SoakEnd {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** path of the report, without the ending */
  readonly report: string
}

/** `npm run soak` in a process of its own, with its report in a new folder. */
export function startSoak(args: readonly string[], flags: readonly string[]): SoakRun {
  const report = join(temporaryFolder(), 'report')
  const own = ['--report', report, '--program', programFile('StartService.ts'), ...args]
  const child = spawn(process.execPath, [...programArgs('scripts/soak/run.ts'), ...own, '--', ...flags], {
    cwd: ROOT,
    env: PLACES,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => (stdout += chunk))
  child.stderr.on('data', (chunk) => (stderr += chunk))
  const closed = closeAfterRun(() => child.kill('SIGKILL'))
  const end = new Promise<SoakEnd>((resolve) =>
    child.once('close', (code) => {
      closed()
      resolve({ code, stdout, stderr, report })
    }),
  )
  return { child, stdout: () => stdout, end }
}
