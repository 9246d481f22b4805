import { spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { PLACES } from './environment.ts'
import { until } from './service.ts'

export interface Terminal {
  /** all that was shown, without the colours */
  text(): string
  /** the same as it came */
  raw(): string
  press(key: string): void
  /** the first match of the pattern in what is shown, now or later */
  shows(pattern: RegExp): Promise<RegExpExecArray>
  /** the exit status of the command */
  exit: Promise<number | null>
  end(): void
}

export const CTRL_C = '\x03'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const WAIT_MS = 20_000
const hasTerminals = spawnSync('script', ['-qec', 'true', '/dev/null'], { stdio: 'ignore' }).status === 0

/** `describe` that runs where util-linux has put `script`, and is counted as skipped, with the reason, elsewhere. */
export function describeInTerminal(title: string, tests: (this: Mocha.Suite) => void): void {
  if (hasTerminals) describe(title, tests)
  else describe.skip(`${title} (skipped: the command "script" of util-linux is missing)`, tests)
}

/** Runs a command in a terminal of its own, whose keys reach the whole foreground group, as a person's do. */
export function openTerminal(command: string, env: Record<string, string> = {}): Terminal {
  const child = spawn('script', ['-qec', `exec ${command}`, '/dev/null'], {
    cwd: ROOT,
    env: { ...PLACES, TERM: 'xterm-256color', ...env },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  let shown = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (shown += text))
  const control = /\p{Cc}\[[\d;]*[A-Za-z]/gu
  // npm turns a spinner, and takes it away again by erasing its line.
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
