import { spawn } from 'node:child_process'
import { PLACES } from './environment.ts'
import { closeAfterRun } from './leftovers.ts'
import { fromSources } from './program.ts'

export interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program of bench/ to its end. */
export async function runBench(program: 'run' | 'simulate-fleet', args: readonly string[]): Promise<Run> {
  const child = spawn(process.execPath, [...fromSources(`bench/${program}.ts`), ...args], {
    env: { ...PLACES },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const unregister = closeAfterRun(() => child.kill('SIGTERM'))
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk) => (stdout += chunk))
  child.stderr.on('data', (chunk) => (stderr += chunk))
  return new Promise((resolve) =>
    child.once('close', (code) => {
      unregister()
      resolve({ code, stdout, stderr })
    }),
  )
}
