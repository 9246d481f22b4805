import { type Guess, guessesIn } from '../models/guess.ts'
import { predictionTable, printable } from './prediction-table.ts'

/** What became of one file: the pipeline's answer, or an error. */
export interface Outcome {
  readonly file: string
  readonly model: string
  readonly top: number | undefined
  readonly value?: unknown
  readonly error?: { readonly code: string; readonly message: string }
}

export function writeTable({ file, model, top, value, error }: Outcome): void {
  if (error !== undefined) {
    complain(file, error.message)
    return
  }
  const guesses = guessesIn(value)?.slice(0, top)
  if (guesses !== undefined) process.stdout.write(predictionTable(file, model, guesses))
  // A pipeline of the user's own may answer whatever it likes.
  else process.stdout.write(`${printable(file)} (${model})\n  ${JSON.stringify(value)}\n`)
}

/**
 * One line for each file, also for one that failed: jq reads such lines as they come, and as many come out as files went
 * in. jq -s makes one array of them.
 */
export function writeJson({ file, model, top, value, error }: Outcome): void {
  if (error !== undefined) complain(file, error.message)
  const predictions = guessesIn(value)?.slice(0, top).map(shown)
  const result = predictions === undefined ? { value } : { predictions }
  process.stdout.write(`${JSON.stringify({ file, model, ...(error === undefined ? result : { error }) })}\n`)
}

function shown({ label, name, wnid, probability }: Guess) {
  return { label, name, ...(wnid === undefined ? {} : { wnid }), probability }
}

function complain(file: string, message: string): void {
  process.stderr.write(`${printable(file)}: ${printable(message)}\n`)
}
