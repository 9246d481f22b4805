import { Durations, type Latency } from '../shared/durations.ts'
import type { ServerFigures } from '../shared/server-figures.ts'
import { ROUTES, type Route } from './scenario.ts'
import { ANSWERED, CUT } from './sender.ts'

export interface RouteResult {
  readonly route: Route | 'all'
  /** answered + failed + cut; while a level runs, also those that are on their way */
  readonly sent: number
  readonly answered: number
  readonly failed: number
  /** by the tester, as the user has ended the test */
  readonly cut: number
  /** of the answered ones */
  readonly latency: Latency | undefined
}

export interface Failure {
  readonly route: Route
  readonly code: string
  readonly count: number
  readonly latency: Latency | undefined
}

/** One interval of the level. */
export interface Point {
  /** seconds from the begin of the level to the end of the interval */
  readonly at: number
  readonly answeredPerSecond: number
  readonly failedPerSecond: number
  readonly latency: Latency | undefined
  /** requests without an answer at the end of the interval */
  readonly open: number
  /** Read after the end of the interval; undefined where the server did not tell in time. */
  server: ServerFigures | undefined
}

/** A level has so many points at most, and a few more while the last answers come in. */
const MAX_POINTS = 600
const MIN_INTERVAL_S = 1
/** Codes come from the server, which may make up as many as it likes. */
const MAX_CODES = 50
const OTHER = 'other'

interface Tally {
  sent: number
  answered: number
  cut: number
  readonly durations: Durations
  readonly failures: Map<string, Durations>
}

/** Counts what became of the requests of one level. Its memory depends on neither their number nor the duration. */
export class Recorder {
  readonly intervalMs: number
  readonly points: Point[] = []
  /** How much later than intended requests were sent: the tester's own fault. */
  readonly late = new Durations()
  readonly #begin = performance.now()
  readonly #tallies = new Map<Route, Tally>(ROUTES.map((route) => [route, newTally()]))
  readonly #all = new Durations()
  readonly #interval = { begin: this.#begin, answered: 0, failed: 0, durations: new Durations() }
  #lastEnd = this.#begin

  constructor(secondsPerLevel: number) {
    this.intervalMs = Math.max(MIN_INTERVAL_S, Math.ceil(secondsPerLevel / MAX_POINTS)) * 1000
  }

  began(route: Route): void {
    this.#of(route).sent++
  }

  ended(route: Route, outcome: string, ms: number): void {
    const tally = this.#of(route)
    this.#lastEnd = performance.now()
    if (outcome === CUT) {
      tally.cut++
      return
    }
    if (outcome !== ANSWERED) {
      this.#interval.failed++
      failuresOf(tally, outcome).add(ms)
      return
    }
    tally.answered++
    this.#interval.answered++
    for (const durations of [tally.durations, this.#all, this.#interval.durations]) durations.add(ms)
  }

  /** Ends an interval, and begins the next one. */
  closeInterval(): Point {
    const now = performance.now()
    const { begin, answered, failed, durations } = this.#interval
    // The last interval may be short: one answer in a millisecond is not 1,000 answers per second.
    const seconds = Math.max(now - begin, this.intervalMs) / 1000
    const all = this.all()
    const point: Point = {
      at: (now - this.#begin) / 1000,
      answeredPerSecond: answered / seconds,
      failedPerSecond: failed / seconds,
      latency: durations.latency(),
      open: all.sent - all.answered - all.failed - all.cut,
      server: undefined,
    }
    this.points.push(point)
    durations.clear()
    Object.assign(this.#interval, { begin: now, answered: 0, failed: 0 })
    return point
  }

  /** From the begin of the level to the last answer. */
  get seconds(): number {
    return (this.#lastEnd - this.#begin) / 1000
  }

  routes(): RouteResult[] {
    return ROUTES.map((route) => {
      const { sent, answered, cut, durations, failures } = this.#of(route)
      const failed = sum([...failures.values()].map(({ count }) => count))
      return { route, sent, answered, failed, cut, latency: durations.latency() }
    })
  }

  all(): RouteResult {
    const routes = this.routes()
    return {
      route: 'all',
      sent: sum(routes.map(({ sent }) => sent)),
      answered: sum(routes.map(({ answered }) => answered)),
      failed: sum(routes.map(({ failed }) => failed)),
      cut: sum(routes.map(({ cut }) => cut)),
      latency: this.#all.latency(),
    }
  }

  /** The most frequent ones first. */
  failures(): Failure[] {
    return ROUTES.flatMap((route) =>
      [...this.#of(route).failures].map(([code, durations]) => ({
        route,
        code,
        count: durations.count,
        latency: durations.latency(),
      })),
    ).sort((a, b) => b.count - a.count)
  }

  #of(route: Route): Tally {
    const tally = this.#tallies.get(route)
    if (tally === undefined) throw new Error(`no requests to ${route} are counted`)
    return tally
  }
}

function newTally(): Tally {
  return { sent: 0, answered: 0, cut: 0, durations: new Durations(), failures: new Map() }
}

function failuresOf({ failures }: Tally, code: string): Durations {
  const key = failures.has(code) || failures.size < MAX_CODES ? code : OTHER
  const durations = failures.get(key) ?? new Durations()
  failures.set(key, durations)
  return durations
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
