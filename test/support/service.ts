import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Script } from '../fixtures/pipelines/scripted.ts'
import { PLACES } from './environment.ts'
import { closeAfterRun } from './leftovers.ts'
import { programArgs, programFile } from './program.ts'
import { temporaryFolder } from './temporary-folder.ts'

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
/** Long, since other parts keep the machine busy. */
const START_WITHIN_MS = 25_000
const STOP_WITHIN_MS = 10_000

export function fixture(name: string): string {
  return programFile(`test/fixtures/pipelines/${name}`)
}

/** The environment of a service whose only model, `model`, follows the script. */
export function scripted(script: Script): Record<string, string> {
  const path = join(temporaryFolder(), 'script.json')
  writeFileSync(path, JSON.stringify(script))
  return { PIPELINE: fixture('scripted.ts'), MODELS: `model=${path}` }
}

/** StartService in a process of its own, on a free port. */
export async function startService(
  env: Record<string, string> = {},
  flags: string[] = [],
  program = programArgs('StartService.ts'),
  cwd = ROOT,
  command = process.execPath,
): Promise<Service> {
  const child = spawnService({ PORT: '0', ...env }, flags, program, cwd, command)
  const { pid } = child
  if (pid === undefined) throw new Error('the service did not start')
  const logs: LogLine[] = []
  const line = (msg: string, withinMs = WAIT_MS) =>
    until(() => logs.find((entry) => entry.msg === msg), `the log line "${msg}"`, withinMs)
  if (child.stdout) createInterface(child.stdout).on('line', (text) => logs.push(JSON.parse(text) as LogLine))
  const exit = exitOf(child)
  const url = String((await line('listening', START_WITHIN_MS)).url)
  return {
    url,
    pid,
    logs,
    exit,
    process: child,
    line,
    kill: (signal) => void child.kill(signal),
    ready: () =>
      until(async () => (await fetch(`${url}/readyz`)).ok, 'readiness', START_WITHIN_MS).then(
        () => undefined,
      ),
    stop() {
      child.kill('SIGTERM')
      return exit
    },
  }
}

/** Resolves when all models, or those with these names, are ready; /readyz needs only one. */
export function allReady({ url }: Service, names?: readonly string[]): Promise<void> {
  const isReady = async () => {
    const { models } = (await (await fetch(`${url}/readyz`)).json()) as {
      models: Record<string, { state: string }>
    }
    return (names ?? Object.keys(models)).every((name) => models[name]?.state === 'ready')
  }
  return until(isReady, 'the readiness of all models', START_WITHIN_MS).then(() => undefined)
}

/** For starts that must fail: the exit code and all output. */
export async function runService(env: Record<string, string>, flags: string[] = []) {
  const child = spawnService(env, flags, programArgs('StartService.ts'))
  let output = ''
  child.stdout?.on('data', (chunk) => (output += chunk))
  child.stderr?.on('data', (chunk) => (output += chunk))
  const { code } = await exitOf(child)
  return { code, output }
}

/** Polls until `probe` returns a truthy value. */
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
  program: string[],
  cwd = ROOT,
  command = process.execPath,
): ChildProcess {
  const child = spawn(command, [...program, ...flags], {
    cwd,
    // Only variables for finding files and programs: the developer's environment may hold settings.
    env: { ...PLACES, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stderr?.resume()
  child.once(
    'exit',
    closeAfterRun(() => stopped(child)),
  )
  return child
}

/** Ends a service that a failed test has left running. */
async function stopped(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS)
  await exit
  clearTimeout(timer)
}

function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })))
}
