import { writeFileSync } from 'node:fs'
import { peakBytes } from '../../test/support/peak-bytes.ts'
import type { Bounds, Examiner, Fault, Result } from './target.ts'

const SHAPE_LENGTH = 160
const MIB = 2 ** 20

/** Tries one input, and measures what it cost this process. */
export async function measured(
  examiner: Examiner,
  input: Buffer,
  bounds: Pick<Bounds, 'cpuMs' | 'memoryBytes'>,
): Promise<Result> {
  forgetPeak()
  const [peakBefore, before] = [peakBytes(), process.memoryUsage.rss()]
  const cpu = process.cpuUsage()
  const { outcome, fault } = await outcomeOf(examiner, input)
  const { user, system } = process.cpuUsage(cpu)
  const peak = peakBytes()
  const cost = { ms: (user + system) / 1000, peakBytes: peak > peakBefore ? peak - before : 0 }
  const found = fault ?? tooMuch(cost, bounds)
  return { outcome, ...cost, ...(found && { fault: found }) }
}

async function outcomeOf(examiner: Examiner, input: Buffer): Promise<{ outcome: string; fault?: Fault }> {
  try {
    return { outcome: await examiner.examine(input) }
  } catch (error) {
    const fault = errorFault(error)
    return { outcome: fault.cause, fault }
  }
}

export function errorFault(error: unknown): Fault {
  if (!(error instanceof Error)) return { kind: 'error', cause: 'error: no Error', text: String(error) }
  const stack = error.stack ?? ''
  const where = /^ +at (?:async )?(\S+)/m.exec(stack)?.[1] ?? 'nowhere'
  const cause = `error: ${error.name} in ${where}: ${shapeOf(error.message)}`
  return {
    kind: 'error',
    cause,
    text: stack.includes(error.message) ? stack : `${error.name}: ${error.message}\n${stack}`,
  }
}

function tooMuch(
  { ms, peakBytes }: { ms: number; peakBytes: number },
  bounds: Pick<Bounds, 'cpuMs' | 'memoryBytes'>,
) {
  if (ms > bounds.cpuMs) {
    const text = `${Math.round(ms)} ms of CPU time, the bound is ${bounds.cpuMs}`
    return { kind: 'slow', cause: 'slow', text } as const
  }
  if (peakBytes <= bounds.memoryBytes) return undefined
  const text = `${Math.round(peakBytes / MIB)} MiB of memory, the bound is ${bounds.memoryBytes / MIB}`
  return { kind: 'memory', cause: 'memory', text } as const
}

/** A message without what differs from input to input. */
export function shapeOf(message: string): string {
  return message
    .replace(/"(?:[^"\\]|\\.)*"?|'[^']*'?/g, '"…"')
    .replace(/-?\d[\d.,]*(e[+-]?\d+)?/g, '#')
    .replace(/#([ ,×]+#)+/g, '#')
    .replace(/\s+/g, ' ')
    .slice(0, SHAPE_LENGTH)
}

/** Without this, an input that takes as much memory as one before it would not be noticed. */
function forgetPeak(): void {
  if (process.platform !== 'linux') return
  try {
    writeFileSync('/proc/self/clear_refs', '5')
  } catch {
    // Some containers do not allow this.
  }
}
