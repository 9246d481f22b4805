import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { PLACES } from './environment.ts'
import { programArgs } from './program.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** Runs one of the command-line tools to its end. */
export function runCommand(
  tool: 'feedback' | 'inspect' | 'predict' | 'weights',
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [...programArgs(`lib/cli/${tool}.ts`), ...args], {
    cwd: ROOT,
    env: { ...PLACES, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => (stdout += chunk))
  child.stderr.on('data', (chunk) => (stderr += chunk))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })))
}
