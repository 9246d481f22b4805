import { spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { PLACES } from './environment.ts'
import { until } from './service.ts'

export interface Terminal {
  /** all output, without the colours */
  text(): string
  /** all output, unchanged */
  raw(): string
  press(key: string): void
  /** the first match of the pattern in the output, now or later */
  shows(pattern: RegExp): Promise<RegExpExecArray>
  /** the exit status of the command */
  exit: Promise<number | null>
  end(): void
}

export const CTRL_C = '\x03'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const WAIT_MS = 20_000
const hasTerminals = spawnSync('script', ['-qec', 'true', '/dev/null'], { stdio: 'ignore' }).status === 0

/**
 * `describe` for tests that need `script` of util-linux. Without it, they are skipped, with the reason in the title.
 */
export function describeInTerminal(title: string, tests: (this: Mocha.Suite) => void): void {
  if (hasTerminals) describe(title, tests)
  else describe.skip(`${title} (skipped: the command "script" of util-linux is missing)`, tests)
}

/** Runs a command in a terminal of its own, whose keys reach the whole foreground process group, as a user's do. */
export function openTerminal(command: string, env: Record<string, string> = {}): Terminal {
  const child = spawn('script', ['-qec', `exec ${command}`, '/dev/null'], {
    cwd: ROOT,
    env: { ...PLACES, TERM: 'xterm-256color', ...env },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  let shown = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (shown += text))
  const control = /\p{Cc}\[[\d;]*[A-Za-z]/gu
  // npm shows a spinner, and removes the spinner by erasing its line.
  const text = () =>
    shown
      .replaceAll(/[^\n]*\p{Cc}\[1G\p{Cc}\[0K/gu, '')
      .replace(control, '')
      .replaceAll('\r', '')
  return {
    text,
    raw: () => shown,
    press: (key) => void child.stdin.write(key),
    async shows(pattern) {
      try {
        return await until(() => pattern.exec(text()), String(pattern), WAIT_MS)
      } catch (cause) {
        throw new Error(`the terminal shows "${text()}", but nothing like ${pattern}`, { cause })
      }
    },
    exit: new Promise((resolve) => child.once('close', (code) => resolve(code))),
    end: () => void child.kill('SIGKILL'),
  }
}
