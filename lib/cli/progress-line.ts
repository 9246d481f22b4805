import { durationWords } from './duration-words.ts'

const REDRAW_EVERY_MS = 100

export interface Terminal {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** One line at the bottom of a terminal: how many pictures are done, how fast, how long it takes, how many have failed. */
export class ProgressLine {
  readonly #terminal: Terminal
  readonly #total: number
  readonly #now: () => number
  readonly #begin: number
  #drawnAt = Number.NEGATIVE_INFINITY
  #isDrawn = false

  /** Draws nothing where there is no terminal, or nothing to wait for. */
  constructor(terminal: Terminal, total: number, now: () => number = () => performance.now()) {
    this.#terminal = terminal
    this.#total = total
    this.#now = now
    this.#begin = now()
  }

  update(done: number, failed: number): void {
    const now = this.#now()
    if (this.#terminal.isTTY !== true || this.#total < 2 || done === this.#total) return
    if (now - this.#drawnAt < REDRAW_EVERY_MS) return
    this.#drawnAt = now
    this.#terminal.write(
      `\r\x1b[K${this.#text(done, failed, now).slice(0, (this.#terminal.columns ?? 80) - 1)}`,
    )
    this.#isDrawn = true
  }

  /** To be called before anything else is written to the terminal, and at the end. */
  clear(): void {
    if (this.#isDrawn) this.#terminal.write('\r\x1b[K')
    this.#isDrawn = false
  }

  #text(done: number, failed: number, now: number): string {
    const seconds = (now - this.#begin) / 1000
    const rate = done / Math.max(seconds, 0.001)
    const left = (this.#total - done) / rate
    const words = [
      `${done} of ${this.#total}`,
      `${rate.toFixed(rate < 10 ? 1 : 0)}/s`,
      `${durationWords(left)} left`,
    ]
    return [...words, ...(failed > 0 ? [`${failed} failed`] : [])].join(' · ')
  }
}
