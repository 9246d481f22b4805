import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
/** Mocha without its own launcher: one process less, and signals reach Mocha itself. */
const MOCHA = fileURLToPath(new URL('./mocha.mjs', import.meta.url))
const CLOSE_WITHIN_MS = 2000
const SUMMARY = /^(\d+) passed, (\d+) failed, (\d+) skipped$/gm
/** The end of what Mocha prints: each failed test with its error. */
const FAILURES = /^ +\d+ failing$.*/ms

export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export interface Outcome extends Counts {
  readonly output: string
  /** the end of the output that describes the failed tests, empty if there are none */
  readonly failures: string
  /** what went wrong apart from failed tests */
  readonly problem?: string
}

export interface PartOptions {
  readonly files: readonly string[]
  /** flags of the command line, for Mocha */
  readonly flags: readonly string[]
  readonly temporaryDirectory: string
  /** the folder of the compiled service, if it has been compiled */
  readonly built?: string | undefined
  readonly limitMs: number
  /** whether the part may have no test, since none fits the flags */
  readonly mayRunNothing: boolean
  readonly started: (child: ChildProcess) => void
}

/** Runs spec files in a Mocha of their own, and waits for its end up to a limit. */
export async function runPart(options: PartOptions): Promise<Outcome> {
  const { files, flags, temporaryDirectory, built, limitMs, mayRunNothing, started } = options
  // A flag for Node, because the processes that the tests start need it as well, if they are not compiled.
  const loader = built === undefined ? ['--import', 'tsx'] : []
  const child = spawn(process.execPath, [...loader, MOCHA, ...flags, ...files], {
    cwd: ROOT,
    env: {
      ...process.env,
      TMPDIR: temporaryDirectory,
      ...(built !== undefined && { TANDEM_TEST_BUILD: built }),
      ...(process.stdout.isTTY && { FORCE_COLOR: '1' }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  started(child)
  const chunks: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => chunks.push(chunk))
  let tookTooLong = false
  const timer = setTimeout(() => {
    tookTooLong = true
    child.kill('SIGKILL')
  }, limitMs)
  const closed = once(child, 'close')
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
  clearTimeout(timer)
  // A process that the tests have left behind may keep the pipes open for long.
  await Promise.race([closed, delay(CLOSE_WITHIN_MS, undefined, { ref: false })])
  for (const stream of [child.stdout, child.stderr]) stream.destroy()
  const text = Buffer.concat(chunks).toString('utf8')
  const counts = countsIn(text)
  const problem = problemOf({ code, signal, tookTooLong, counts, mayRunNothing, limitMs })
  const output = text.replaceAll(SUMMARY, '').trimEnd()
  return {
    ...(counts ?? { passed: 0, failed: 0, skipped: 0 }),
    output,
    failures: counts?.failed ? (stripVTControlCharacters(output).match(FAILURES)?.[0] ?? '') : '',
    ...(problem === undefined ? {} : { problem }),
  }
}

/** The counts in the last summary, since a test may print another summary before. */
function countsIn(text: string): Counts | undefined {
  const [, ...numbers] = [...text.matchAll(SUMMARY)].at(-1) ?? []
  const [passed = 0, failed = 0, skipped = 0] = numbers.map(Number)
  return numbers.length === 0 ? undefined : { passed, failed, skipped }
}

function problemOf(end: {
  code: number | null
  signal: string | null
  tookTooLong: boolean
  counts: Counts | undefined
  mayRunNothing: boolean
  limitMs: number
}): string | undefined {
  const { code, signal, tookTooLong, counts, mayRunNothing, limitMs } = end
  if (tookTooLong) return `did not end within ${limitMs / 1000} s and was killed`
  if (counts === undefined) return `ended with ${signal ?? `status ${code}`} before its tests were over`
  const { passed, failed, skipped } = counts
  if (passed + failed + skipped === 0 && !mayRunNothing) return 'ran no test'
  if (code !== 0 && failed === 0) return `ended with ${signal ?? `status ${code}`} although no test failed`
  return undefined
}
