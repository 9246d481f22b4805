import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { closeAfterRun } from './leftovers.ts'
import { programArgs } from './program.ts'
import { type EndOfProgram, type StartedProgram, startProgram } from './started-program.ts'
import { tableWith, toNumber } from './tables.ts'
import { temporaryFolder } from './temporary-folder.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** What a scripted pipeline answers, so that /predict can name a class. */
export const GUESSES = [
  { index: 1, label: 'tiger cat', name: 'tiger_cat', full: 'tiger cat', probability: 0.9 },
]

/** By its lines, cell by cell. */
export type Table = readonly (readonly string[])[]

export interface StressRun extends StartedProgram {
  readonly end: Promise<StressEnd>
}

export interface StressEnd extends EndOfProgram {
  /** path of the report, without the ending */
  readonly report: string
}

/** `tandem stress` in a process of its own, with its report in a new folder. */
export function startStress(args: readonly string[], env: Record<string, string> = {}): StressRun {
  const report = join(temporaryFolder(), 'report')
  const own = ['stress', '--report', report, ...args]
  const run = startProgram([...programArgs('tandem.ts'), ...own], { cwd: ROOT, env })
  return { ...run, end: run.end.then((end) => ({ ...end, report })) }
}

export function runStress(args: readonly string[], env: Record<string, string> = {}): Promise<StressEnd> {
  return startStress(args, env).end
}

export function markdownOf({ report }: StressEnd): string {
  return readFileSync(`${report}.md`, 'utf8')
}

export function htmlOf({ report }: StressEnd): string {
  return readFileSync(`${report}.html`, 'utf8')
}

/** The rows of the table of the Markdown report that has this column, each under the names of the columns. */
export function rowsWith(column: string, end: StressEnd): Record<string, string>[] {
  return tableWith(column, markdownOf(end))
}

/** Counts of a route in the report, or of all of them. */
export function countsOf(end: StressEnd, route: string, level = ''): { sent: number; failed: number } {
  const row = rowsWith('answers', end).find((it) => it.route === route && it.level?.startsWith(level))
  return { sent: toNumber(row?.sent), failed: toNumber(row?.failed) }
}

/** A duration of the report in milliseconds: "1.23 s", "45.6 ms". */
export function toMs(text: string | undefined): number {
  const [, number, unit] = /^([\d.]+) (ms|s)$/.exec(text ?? '') ?? []
  return Number(number) * (unit === 's' ? 1000 : 1)
}

/** An HTTP server that is no Tandem. */
export async function foreignServer(
  listener: RequestListener,
): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    closed()
    server.closeAllConnections()
    return new Promise<void>((resolve) => server.close(() => resolve()))
  }
  const closed = closeAfterRun(close)
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}
