import type { Plan } from './arguments.ts'
import type { Kill } from './killer.ts'
import type { Fault, RouteTally } from './tally.ts'
import type { Check, Measured } from './verdict.ts'

/** All that the picture and the tables show. */
export interface Report extends Measured {
  readonly plan: Plan
  readonly startedAt: Date
  readonly machine: string
  readonly checkout: string
  /** of the test itself, without the start and the quiet requests */
  readonly seconds: number
  readonly endedEarly: boolean
  readonly checks: readonly Check[]
  readonly kills: readonly Kill[]
  readonly childrenStarted: number
  readonly routes: readonly RouteTally[]
  readonly faults: readonly Fault[]
  /** the newest errors of the log, and what came from stderr */
  readonly logLines: readonly string[]
}

export function minutesText(seconds: number): string {
  return `${Number((seconds / 60).toFixed(1))} minutes`
}
