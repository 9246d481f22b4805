import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type Agent, get, request } from 'node:http'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface BenchService {
  url: string
  pid: number
  /** Milliseconds from the start of the process to the log line with this message and these fields. */
  seen(msg: string, fields?: Record<string, unknown>): Promise<number>
  /** Milliseconds since the start of the process. */
  age(): number
  /** How many lines of the log have this message. */
  logged(msg: string): number
  /** How many children have ended. */
  ended(): number
  stop(): Promise<void>
}

interface Line {
  at: number
  msg?: string
  [field: string]: unknown
}

/** `npm start`, or `tandem serve` of a build. */
export type Program = 'sources' | 'built'

const PROGRAMS: Readonly<Record<Program, readonly string[]>> = {
  sources: ['--import', inRepository('scripts/typescript.js'), inRepository('StartService.ts')],
  built: [inRepository('dist/tandem.js'), 'serve'],
}

/** Starts StartService in a process of its own, and reads its log line by line. */
export async function startService(
  settings: Record<string, string>,
  program: Program = 'sources',
): Promise<BenchService> {
  const started = performance.now()
  const child = spawn(process.execPath, [...PROGRAMS[program]], {
    env: { ...process.env, PORT: '0', SPARE_CHILDREN: '0', TUNING_MS: '0', ...settings },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  // If the bench fails, the service must not go on running.
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  const lines: Line[] = []
  const waiting = new Set<() => void>()
  createInterface(child.stdout).on('line', (line) => {
    lines.push({ ...(JSON.parse(line) as object), at: performance.now() - started })
    for (const look of waiting) look()
  })
  const logged = (wanted: string) => lines.filter(({ msg }) => msg === wanted).length
  const find = (msg: string, fields: Record<string, unknown>) =>
    lines.find(
      (line) => line.msg === msg && Object.entries(fields).every(([name, value]) => line[name] === value),
    )
  const line = (msg: string, fields: Record<string, unknown> = {}) =>
    new Promise<Line>((resolve) => {
      const look = () => {
        const found = find(msg, fields)
        if (!found) return
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      look()
    })
  const { url, pid } = await line('listening')
  return {
    url: String(url),
    pid: Number(pid),
    seen: async (msg, fields) => (await line(msg, fields)).at,
    age: () => performance.now() - started,
    logged,
    ended: () => logged('child ended'),
    async stop() {
      child.kill('SIGTERM')
      await exited
    },
  }
}

function inRepository(file: string): string {
  return fileURLToPath(new URL(`../${file}`, import.meta.url))
}

export async function send(
  url: string,
  agent: Agent,
  body?: string | Buffer,
  type?: string,
): Promise<string> {
  const headers = type === undefined ? {} : { 'Content-Type': type }
  const sent =
    body === undefined ? get(url, { agent }) : request(url, { agent, method: 'POST', headers }).end(body)
  const [response] = await once(sent, 'response')
  let text = ''
  for await (const chunk of response) text += chunk
  if (response.statusCode >= 400)
    throw new Error(`${url} answered ${response.statusCode}: ${text.slice(0, 300)}`)
  return text
}
