import { countText, durationText, rateText } from '../shared/figure-text.ts'
import type { Level } from './arguments.ts'
import { levelText } from './level-text.ts'
import type { Failure, Recorder, RouteResult } from './recorder.ts'

/** The part of process.stdout that is used. */
export interface Output {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** In a pipe, such as a log of CI, one line per second would be too many. */
const LINE_EVERY = 5
const SHOWN_CODES = 5
const UP_AND_CLEAR = (lines: number) => `\x1b[${lines}A\x1b[J`
const HEAD = ['', 'sent', 'answered', 'failed', 'p50', 'p95', 'p99', 'max']

/** Shows a level while it runs: a table that is drawn again after each interval, or lines where no terminal reads them. */
export class LiveTable {
  readonly #output: Output
  readonly #title: string
  readonly #seconds: number
  /** of the table on the terminal, to be drawn over */
  #lines = 0
  #updates = 0

  constructor(output: Output, level: Level, seconds: number) {
    this.#output = output
    this.#title = levelText(level)
    this.#seconds = seconds
  }

  update(recorder: Recorder): void {
    const { answeredPerSecond = 0, open = 0 } = recorder.points.at(-1) ?? {}
    const now = `${rateText(answeredPerSecond)}, ${open} open`
    if (this.#output.isTTY) this.#draw(this.#table(recorder, now))
    else if (this.#updates++ % LINE_EVERY === LINE_EVERY - 1) this.#output.write(`${this.#line(recorder)}\n`)
  }

  /** Leaves the last state on the terminal, with the rate of the whole level. */
  end(recorder: Recorder): void {
    const mean = rateText(recorder.all().answered / Math.max(1, recorder.seconds))
    if (this.#output.isTTY) this.#draw(this.#table(recorder, `${mean}, over`))
    else this.#output.write(`${this.#line(recorder)}, over\n`)
  }

  #draw(lines: readonly string[]): void {
    // A line that is broken by the terminal would count twice.
    const width = (this.#output.columns ?? 80) - 1
    const text = lines.map((line) => `${line.slice(0, width)}\n`).join('')
    this.#output.write((this.#lines > 0 ? UP_AND_CLEAR(this.#lines) : '') + text)
    this.#lines = lines.length
  }

  #table(recorder: Recorder, rate: string): string[] {
    const rows = [...recorder.routes(), recorder.all()].map(cells)
    return [
      `${this.#progress(recorder)}, ${rate}`,
      ...aligned([HEAD, ...rows]),
      ...failureLines(recorder.failures()),
      '',
    ]
  }

  #line(recorder: Recorder): string {
    const { sent, answered, failed, latency } = recorder.all()
    const times = `p50 ${durationText(latency?.p50)}, p99 ${durationText(latency?.p99)}`
    return `${this.#progress(recorder)}: ${sent} sent, ${answered} answered, ${failed} failed, ${times}`
  }

  #progress(recorder: Recorder): string {
    const at = recorder.points.at(-1)?.at ?? 0
    return `${this.#title}, ${at.toFixed(0)} of ${this.#seconds} s`
  }
}

function cells({ route, sent, answered, failed, latency }: RouteResult): string[] {
  const times = [latency?.p50, latency?.p95, latency?.p99, latency?.max]
  return [route, ...[sent, answered, failed].map(countText), ...times.map(durationText)]
}

function failureLines(failures: readonly Failure[]): string[] {
  const shown = failures
    .slice(0, SHOWN_CODES)
    .map(({ route, code, count }) => `${countText(count)} × ${route}: ${code}`)
  return failures.length > SHOWN_CODES ? [...shown, `and ${failures.length - SHOWN_CODES} more kinds`] : shown
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
  )
}
