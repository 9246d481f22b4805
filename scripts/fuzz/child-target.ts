import { type ChildProcess, fork } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { PLACES } from '../../test/support/environment.ts'
import { temporaryRoot } from '../../test/support/temporary-folder.ts'
import type { FromChild, ToChild } from './child.ts'
import type { Bounds, Fault, Result, Target } from './target.ts'

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url))
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
/** A parser that keeps more than this on the heap is a finding. */
const HEAP_MB = 384
const START_WITHIN_MS = 120_000
const LAST_WORDS = 4000

/** Tries inputs in a child process, and starts another one when a child dies or hangs. */
export class ChildTarget implements Target {
  readonly #module: string
  readonly #bounds: Bounds
  readonly #isGuided: boolean
  #child: ChildProcess | undefined
  #lastWords = ''

  /** `guided`: each result tells whether the input has reached code that none before it had. */
  constructor(module: URL, bounds: Bounds, guided = true) {
    this.#module = module.href
    this.#bounds = bounds
    this.#isGuided = guided
  }

  async examine(inputs: readonly Buffer[]): Promise<Result[]> {
    const results: Result[] = []
    for (const input of inputs) results.push(await this.#try(input))
    // Asking costs milliseconds. One question for all inputs is enough, since new code is rare.
    if (!this.#isGuided || !(await this.#hasNewPaths(false))) return results
    if (results.some(({ fault }) => fault !== undefined)) return results
    for (const [i, input] of inputs.entries()) {
      const result = await this.#try(input)
      results[i] = { ...result, isNewPath: await this.#hasNewPaths(true) }
    }
    return results
  }

  async close(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }

  async #hasNewPaths(keep: boolean): Promise<boolean> {
    const answer = await this.#ask({ kind: 'paths', keep }, this.#bounds.hangMs)
    return answer.kind === 'paths' && answer.isNew
  }

  async #try(input: Buffer): Promise<Result> {
    const start = performance.now()
    const answer = await this.#ask({ kind: 'examine', input }, this.#bounds.hangMs)
    if (answer.kind === 'result') return answer.result
    const fault = 'fault' in answer ? answer.fault : undefined
    if (fault === undefined) throw new Error(`the child answered "${answer.kind}"`)
    return { outcome: fault.cause, ms: performance.now() - start, peakBytes: 0, fault }
  }

  async #ask(message: ToChild, withinMs: number): Promise<FromChild | { kind: 'fault'; fault: Fault }> {
    const child = this.#child ?? (await this.#start())
    const answer = next(child, withinMs)
    // A child that dies now ends the wait through its exit.
    child.send(message, () => undefined)
    const received = await answer
    if (typeof received === 'object') return received
    await this.close()
    const fault = faultOf(received, child, this.#bounds, this.#lastWords)
    return { kind: 'fault', fault }
  }

  async #start(): Promise<ChildProcess> {
    const child = fork(CHILD, [this.#module, JSON.stringify(this.#bounds)], {
      execArgv: ['--import', TSX, `--max-old-space-size=${HEAP_MB}`],
      // A folder that is removed even if the child is killed.
      env: { ...PLACES, TMPDIR: temporaryRoot() },
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    this.#lastWords = ''
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk) => (this.#lastWords = `${this.#lastWords}${chunk}`.slice(-LAST_WORDS)))
    const first = await next(child, START_WITHIN_MS)
    if (typeof first !== 'object') {
      child.kill('SIGKILL')
      throw new Error(`The process that tries the inputs did not start: ${this.#lastWords}`)
    }
    this.#child = child
    return child
  }
}

/** The child's next message, or how it failed to give one. */
function next(child: ChildProcess, withinMs: number): Promise<FromChild | 'hang' | 'death'> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => settle('hang'), withinMs)
    const onDeath = () => settle('death')
    const onMessage = (message: unknown) => settle(message as FromChild)
    const settle = (value: FromChild | 'hang' | 'death') => {
      clearTimeout(timer)
      child.off('message', onMessage).off('close', onDeath)
      resolve(value)
    }
    child.on('message', onMessage).on('close', onDeath)
  })
}

function faultOf(how: 'hang' | 'death', child: ChildProcess, { hangMs }: Bounds, lastWords: string): Fault {
  if (how === 'hang') return { kind: 'hang', cause: 'hang', text: `no answer within ${hangMs} ms` }
  const exit = child.signalCode ?? `exit code ${child.exitCode}`
  return { kind: 'death', cause: `death: ${exit}`, text: `The process ended (${exit}).\n${lastWords}` }
}
