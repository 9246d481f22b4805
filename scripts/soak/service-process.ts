import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { CommandError, EXIT } from '../shared/command-error.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
/** A first start compiles models, and a machine may be busy. */
const LISTENS_WITHIN_MS = 60_000
/** Longer than DRAIN_TIMEOUT_MS, after which the service ends whatever is still in progress. */
const STOPS_WITHIN_MS = 30_000
const MAX_KEPT_LINES = 20
const ERROR_LEVEL = 50

export interface Child {
  readonly pid: number
  readonly model: string
  /** on the clock of performance.now() */
  readonly startedAt: number
}

export interface ServiceExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

interface LogLine {
  readonly level?: number
  readonly msg?: string
  readonly url?: string
  readonly pid?: number
  readonly model?: string
  readonly spare?: boolean
}

/** The service in a process of its own. Its log tells its address, its children and its errors. */
export class ServiceProcess {
  readonly exit: Promise<ServiceExit>
  /** lines of the log at the level of errors */
  errors = 0
  /** how many children were started so far */
  childrenStarted = 0
  /** The newest errors of the log, and what came from stderr. */
  readonly keptLines: string[] = []
  readonly #process: ChildProcess
  readonly #children = new Map<number, Child>()
  #exited: ServiceExit | undefined
  #onUrl: (url: URL) => void = () => undefined
  readonly #url: Promise<URL>

  constructor(program: string, flags: readonly string[], settings: Readonly<Record<string, string>>) {
    const loader = program.endsWith('.ts') ? ['--import', 'tsx'] : []
    this.#process = spawn(process.execPath, [...loader, program, ...flags], {
      cwd: ROOT,
      env: { ...settings, PORT: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: Ctrl-C in the terminal must end the test, and not the service under test.
      detached: true,
    })
    this.#url = new Promise((resolve) => {
      this.#onUrl = resolve
    })
    this.exit = new Promise((resolve) =>
      this.#process.once('close', (code, signal) => {
        this.#exited = { code, signal }
        resolve(this.#exited)
      }),
    )
    if (this.#process.stdout)
      createInterface(this.#process.stdout).on('line', (line) => this.#logged(line, performance.now()))
    if (this.#process.stderr)
      createInterface(this.#process.stderr).on('line', (line) => this.#keep(`stderr: ${line}`))
    process.on('exit', () => this.#process.kill('SIGKILL'))
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  get isRunning(): boolean {
    return this.#exited === undefined
  }

  /** Those that serve, the oldest first. Spare children wait in memory, and their age counts from their takeover. */
  get children(): readonly Child[] {
    return [...this.#children.values()]
  }

  async listening(): Promise<URL> {
    const timeout = AbortSignal.timeout(LISTENS_WITHIN_MS)
    const late = new Promise<undefined>((resolve) =>
      timeout.addEventListener('abort', () => resolve(undefined)),
    )
    const url = await Promise.race([this.#url, this.exit.then(() => undefined), late])
    if (url !== undefined) return url
    const why = this.isRunning ? `does not listen within ${LISTENS_WITHIN_MS / 1000} s` : 'ended at its start'
    throw new CommandError([`The service ${why}.`, ...this.keptLines].join('\n'), EXIT.unreachable)
  }

  /** undefined: the service did not end after SIGTERM, and was killed */
  async stop(): Promise<ServiceExit | undefined> {
    this.#process.kill('SIGTERM')
    let isKilled = false
    const timer = setTimeout(() => {
      isKilled = true
      this.#process.kill('SIGKILL')
    }, STOPS_WITHIN_MS)
    const exit = await this.exit
    clearTimeout(timer)
    return isKilled ? undefined : exit
  }

  #logged(line: string, now: number): void {
    const { level = 0, msg, url, pid, model, spare } = parsed(line)
    if (msg === 'listening' && url !== undefined) this.#onUrl(new URL(url))
    if (msg === 'child ended' && pid !== undefined) this.#children.delete(pid)
    if (msg === 'child started') this.childrenStarted++
    const serves = (msg === 'child started' && spare !== true) || msg === 'spare child took over'
    if (serves && pid !== undefined && model !== undefined) {
      this.#children.set(pid, { pid, model, startedAt: now })
    }
    if (level < ERROR_LEVEL) return
    this.errors++
    this.#keep(line)
  }

  #keep(line: string): void {
    this.keptLines.push(line.slice(0, 1000))
    if (this.keptLines.length > MAX_KEPT_LINES) this.keptLines.shift()
  }
}

function parsed(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine
  } catch {
    return {}
  }
}
