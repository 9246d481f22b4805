import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Script } from '../fixtures/pipelines/scripted.ts'

export interface LogLine {
  msg: string
  [key: string]: unknown
}

export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

export interface Service {
  url: string
  pid: number
  /** from the start of the process to its line "listening" */
  listenedAfterMs: number
  logs: LogLine[]
  exit: Promise<Exit>
  process: ChildProcess
  kill(signal: NodeJS.Signals): void
  /** the first line, past or to come, with this message */
  line(msg: string): Promise<LogLine>
  ready(): Promise<void>
  stop(): Promise<Exit>
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const WAIT_MS = 10_000

/** What is started, and in which folder. */
interface Place {
  readonly command: string
  readonly args?: readonly string[]
  readonly cwd: string
}

const FROM_SOURCES: Place = {
  command: process.execPath,
  args: ['--import', 'tsx', join(ROOT, 'StartService.ts')],
  cwd: ROOT,
}
const running = new Set<ChildProcess>()

// A test that fails half-way leaves no process behind.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export function fixture(name: string): string {
  return join(ROOT, 'test/fixtures/pipelines', name)
}

/** Environment of a service whose one model, `model`, does what the script says. */
export function scripted(script: Script): Record<string, string> {
  const path = join(mkdtempSync(join(tmpdir(), 'tandem-')), 'script.json')
  writeFileSync(path, JSON.stringify(script))
  return { PIPELINE: fixture('scripted.ts'), MODELS: `model=${path}` }
}

/** StartService in a process of its own, on a free port. */
export async function startService(
  env: Record<string, string> = {},
  flags: string[] = [],
  place: Place = FROM_SOURCES,
): Promise<Service> {
  const started = performance.now()
  const child = spawnService({ PORT: '0', ...env }, flags, place)
  const { pid } = child
  if (pid === undefined) throw new Error('the service did not start')
  const logs: LogLine[] = []
  const line = (msg: string) => until(() => logs.find((entry) => entry.msg === msg), `the log line "${msg}"`)
  if (child.stdout) createInterface(child.stdout).on('line', (text) => logs.push(JSON.parse(text) as LogLine))
  const exit = exitOf(child)
  const url = String((await line('listening')).url)
  const listenedAfterMs = performance.now() - started
  return {
    url,
    pid,
    listenedAfterMs,
    logs,
    exit,
    process: child,
    line,
    kill: (signal) => void child.kill(signal),
    ready: () => until(async () => (await fetch(`${url}/readyz`)).ok, 'readiness').then(() => undefined),
    stop() {
      child.kill('SIGTERM')
      return exit
    },
  }
}

/** Resolves when each model serves; /readyz is content with one. */
export function allReady({ url }: Service): Promise<void> {
  const isReady = async () => {
    const { models } = (await (await fetch(`${url}/readyz`)).json()) as {
      models: Record<string, { state: string }>
    }
    return Object.values(models).every(({ state }) => state === 'ready')
  }
  return until(isReady, 'the readiness of all models', 2 * WAIT_MS).then(() => undefined)
}

/** For starts that are meant to fail: the exit and everything that was written. */
export async function runService(env: Record<string, string>, flags: string[] = []) {
  const child = spawnService(env, flags)
  let output = ''
  child.stdout?.on('data', (chunk) => (output += chunk))
  child.stderr?.on('data', (chunk) => (output += chunk))
  const { code } = await exitOf(child)
  return { code, output }
}

/** Polls until `probe` answers something true. */
export async function until<T>(
  probe: () => T | Promise<T>,
  what: string,
  withinMs = WAIT_MS,
): Promise<NonNullable<T>> {
  const end = performance.now() + withinMs
  while (performance.now() < end) {
    const value = await probe()
    if (value) return value
    await delay(10)
  }
  throw new Error(`waited in vain for ${what}`)
}

function spawnService(
  env: Record<string, string>,
  flags: string[],
  { command, args = [], cwd }: Place = FROM_SOURCES,
): ChildProcess {
  const child = spawn(command, [...args, ...flags], {
    cwd,
    // Nothing of the tester's own environment but where to find things: it may hold settings.
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stderr?.resume()
  // A failed test that left this running must not keep the test runner from its end, where it is killed.
  child.unref()
  for (const pipe of [child.stdout, child.stderr]) if (pipe instanceof Socket) pipe.unref()
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })))
}
