import type { Guess } from '../models/guess.ts'

const BAR = 24
const LONGEST_LABEL = 36
/** 1, and the rounding of numbers of 32 bits. Models that answer with scores have other numbers. */
const MOST = 1.0001
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const

/** The guesses about an image as lines of text: label, bar, percentage. */
export function predictionTable(file: string, model: string, guesses: readonly Guess[]): string {
  const labels = guesses.map(({ label }) => clip(printable(label)))
  const width = Math.max(0, ...labels.map((label) => label.length))
  const areShares = guesses.every(({ probability }) => probability >= 0 && probability <= MOST)
  const lines = guesses.map(({ probability }, at) => {
    const text = areShares ? `${(100 * probability).toFixed(1)} %` : probability.toFixed(3)
    return `  ${labels[at]?.padEnd(width)}  ${bar(probability)}${text.padStart(8)}`
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
