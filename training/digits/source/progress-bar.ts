export interface ProgressBar {
  show(fraction: number, what: string): void
  /** Prints a line above the bar. */
  line(text: string): void
}

const WIDTH = 30
const CLEAR = '\r\u001b[K'

/** On a terminal, a bar with the remaining time, and lines above it; elsewhere, only the lines. */
export function progressBar(): ProgressBar {
  const { stdout } = process
  const started = performance.now()
  return {
    show(fraction, what) {
      if (!stdout.isTTY) return
      const full = Math.round(fraction * WIDTH)
      const left = ((performance.now() - started) * (1 - fraction)) / fraction
      const bar = '█'.repeat(full) + '░'.repeat(WIDTH - full)
      stdout.write(`${CLEAR}${bar} ${Math.floor(fraction * 100)} %, ${clock(left)} left, ${what}`)
    },
    line(text) {
      stdout.write(`${stdout.isTTY ? CLEAR : ''}${text}\n`)
    },
  }
}

function clock(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
