import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { killProcessesIn } from '../support/leftovers.ts'
import { temporaryRoot } from '../support/temporary-folder.ts'
import { build } from './build.ts'
import { lanes } from './lanes.ts'
import { type Part, partsIn } from './parts.ts'
import { type Counts, runPart } from './run-part.ts'

/**
 * `npm test` runs all spec files but the slow ones, in parts: each part in a Mocha of its own, several at the same time.
 * `npm run test:slow` runs the slow ones. `npm test -- PATH…` runs only those files and folders. Other flags are
 * Mocha's. At the end, the failed tests of all parts are printed again, and the last line counts all tests.
 */
const PART_LIMIT_MS = 10 * 60_000
/** More than there are cores, since tests often wait, for services to start and deadlines to pass. */
const LANES = Math.min(6, 2 * availableParallelism())
const GO_WITHIN_MS = 5000

const root = temporaryRoot()
process.prependListener('exit', () => killProcessesIn(root))
const running = new Set<ChildProcess>()
let stopping = false
for (const [signal, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 })) {
  process.once(signal, () => end(128 + number))
}

const SLOW_FLAG = '--slow'
const args = process.argv.slice(2).filter((arg) => arg !== SLOW_FLAG)
const folder = process.argv.includes(SLOW_FLAG) ? 'test/slow' : 'test'
const chosen = args.filter((arg) => resolve(arg).startsWith(resolve('test')) && existsSync(arg))
const flags = args.filter((arg) => !chosen.includes(arg))
const parts: readonly Part[] =
  chosen.length > 0 ? chosen.map((path) => ({ name: path, files: [path] })) : partsIn(folder)

// For a few files, running from source is faster than compiling first.
const built = chosen.length > 0 ? undefined : await build()
const total = { passed: 0, failed: 0, skipped: 0 }
const problems: string[] = []
const failures: string[] = []
await lanes(parts, LANES, async ({ name, files }) => {
  if (stopping) return
  const {
    output,
    failures: ofPart,
    problem,
    ...counts
  } = await runPart({
    files,
    flags,
    temporaryDirectory: root,
    built,
    limitMs: PART_LIMIT_MS,
    mayRunNothing: flags.length > 0,
    started(child) {
      running.add(child)
      child.once('exit', () => running.delete(child))
    },
  })
  console.log(`${output}\n`)
  for (const key of Object.keys(counts) as (keyof Counts)[]) total[key] += counts[key]
  if (ofPart !== '') failures.push(`${name}\n\n${ofPart}`)
  if (problem !== undefined) problems.push(`${name}: Mocha ${problem}.`)
})

const ran = total.passed + total.failed + total.skipped
if (ran === 0) problems.push('No test was run.')
if (failures.length > 0) console.log(`Failed tests, part by part:\n\n${failures.join('\n\n')}\n`)
for (const problem of problems) console.log(problem)
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exitCode = total.failed + problems.length > 0 ? 1 : 0

/** Each Mocha stops the processes that it has started; any that are left are killed. */
function end(code: number): void {
  stopping = true
  for (const child of running) child.kill('SIGTERM')
  setInterval(() => running.size === 0 && process.exit(code), 20)
  setTimeout(() => process.exit(code), GO_WITHIN_MS)
}
