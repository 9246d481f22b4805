import { Durations, type Latency } from '../shared/durations.ts'
import type { Question } from './question.ts'

/**
 * How a request ended. `refused`: with 503 and Retry-After, also after all retries, or with ERR_CHILD_EXIT, if the
 * test has killed two children meanwhile. `lost`: the connection ended without a whole answer, or the deadline
 * of the service passed (504). `hung`: neither an answer nor an end. `left`: the client left, as it was to. `cut`: the
 * user has ended the test.
 */
export const OUTCOMES = ['right', 'wrong', 'refused', 'lost', 'hung', 'left', 'cut'] as const
export type Outcome = (typeof OUTCOMES)[number]

export interface Result {
  readonly outcome: Outcome
  /** why the answer is not right */
  readonly why?: string
  readonly retries: number
  readonly ms: number
}

export type Counts = Readonly<Record<Outcome, number>> & {
  readonly asked: number
  readonly retries: number
}

export interface RouteTally extends Counts {
  readonly route: string
  /** of the right answers to clients that are not slow themselves */
  readonly latency: Latency | undefined
}

/** An answer that is not right, for the report. */
export interface Fault {
  /** seconds since the begin of the test */
  readonly at: number
  readonly route: string
  readonly outcome: Outcome
  readonly why: string
}

const MAX_FAULTS = 20
const FAULTS: ReadonlySet<Outcome> = new Set(['wrong', 'refused', 'lost', 'hung'])

interface Row {
  readonly counts: Record<Outcome | 'asked' | 'retries', number>
  readonly durations: Durations
}

/** Counts what became of the requests. There are as many rows as routes, however long the test is. */
export class Tally {
  /** The first ones. */
  readonly faults: Fault[] = []
  readonly #rows = new Map<string, Row>()
  readonly #all = newRow()
  readonly #begin = performance.now()
  readonly #onFault: (fault: Fault) => void

  /** A route that is never asked has a row, too. `onFault` is called for each of the first faults. */
  constructor(questions: readonly Question[], onFault: (fault: Fault) => void) {
    this.#onFault = onFault
    for (const { route } of questions) this.#of(route)
  }

  began({ route }: Question): void {
    for (const { counts } of [this.#of(route), this.#all]) counts.asked++
  }

  ended({ route }: Question, { outcome, why = '', retries, ms }: Result, isSlow: boolean): void {
    for (const { counts, durations } of [this.#of(route), this.#all]) {
      counts[outcome]++
      counts.retries += retries
      if (outcome === 'right' && !isSlow) durations.add(ms)
    }
    if (!FAULTS.has(outcome) || this.faults.length >= MAX_FAULTS) return
    const fault = { at: (performance.now() - this.#begin) / 1000, route, outcome, why }
    this.faults.push(fault)
    this.#onFault(fault)
  }

  /** requests that are on their way */
  get open(): number {
    const { asked, ...ends } = this.#all.counts
    return asked - OUTCOMES.reduce((sum, outcome) => sum + ends[outcome], 0)
  }

  get all(): RouteTally {
    return told('all', this.#all)
  }

  get routes(): RouteTally[] {
    return [...this.#rows].map(([route, row]) => told(route, row))
  }

  #of(route: string): Row {
    const row = this.#rows.get(route) ?? newRow()
    this.#rows.set(route, row)
    return row
  }
}

function newRow(): Row {
  const counts = { asked: 0, retries: 0, right: 0, wrong: 0, refused: 0, lost: 0, hung: 0, left: 0, cut: 0 }
  return { counts, durations: new Durations() }
}

function told(route: string, { counts, durations }: Row): RouteTally {
  return { route, ...counts, latency: durations.latency() }
}
