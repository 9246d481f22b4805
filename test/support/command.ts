import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { PLACES } from './environment.ts'
import { programArgs } from './program.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** Runs a command of `tandem` to its end. */
export function runCommand(
  tool: string,
  args: readonly string[],
  env: Record<string, string> = {},
  input = '',
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [...programArgs('tandem.ts'), tool, ...args], {
    cwd: ROOT,
    env: { ...PLACES, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  // A command that does not read its input may have ended before.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => (stdout += chunk))
  child.stderr.on('data', (chunk) => (stderr += chunk))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })))
}
