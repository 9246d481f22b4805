import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { PLACES } from './environment.ts'
import { closeAfterRun } from './leftovers.ts'

export interface EndOfProgram {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface StartedProgram {
  readonly child: ChildProcessByStdio<null, Readable, Readable>
  /** What has been written until now. */
  readonly stdout: () => string
  readonly end: Promise<EndOfProgram>
}

/** Node with these arguments. A failed test may leave the process: it is killed when the tests end. */
export function startProgram(
  args: readonly string[],
  { cwd, env = {} }: { cwd: string; env?: Record<string, string> },
): StartedProgram {
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...PLACES, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => (stdout += chunk))
  child.stderr.on('data', (chunk) => (stderr += chunk))
  const closed = closeAfterRun(() => child.kill('SIGKILL'))
  const end = new Promise<EndOfProgram>((resolve) =>
    child.once('close', (code) => {
      closed()
      resolve({ code, stdout, stderr })
    }),
  )
  return { child, stdout: () => stdout, end }
}
