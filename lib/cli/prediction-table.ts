import type { Guess } from '../models/guess.ts'

const BAR = 24
const LONGEST_LABEL = 36
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const

/** The guesses about an image as lines of text: label, bar, percentage. */
export function predictionTable(file: string, model: string, guesses: readonly Guess[]): string {
  const labels = guesses.map(({ label }) => clip(printable(label)))
  const width = Math.max(0, ...labels.map((label) => label.length))
  const lines = guesses.map(({ probability }, at) => {
    const percent = `${(100 * probability).toFixed(1)} %`.padStart(8)
    return `  ${labels[at]?.padEnd(width)}  ${bar(probability)}${percent}`
  })
  return `${[`${printable(file)} (${model})`, ...lines].join('\n')}\n`
}

/** Control characters in a file or class name must not move the cursor or change the colours of the terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?')
}

function clip(label: string): string {
  return label.length > LONGEST_LABEL ? `${label.slice(0, LONGEST_LABEL - 1)}…` : label
}

function bar(probability: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, probability)) * BAR * 8)
  return `${'█'.repeat(eighths / 8)}${EIGHTHS[eighths % 8]}`.padEnd(BAR)
}
