import { featuresIn } from '../models/features.ts'
import { type Guess, guessesIn } from '../models/guess.ts'
import type { OtherOutputs } from '../models/other-outputs.ts'
import { predictionTable, printable } from './prediction-table.ts'

/** The result for one file: the pipeline's answer, or an error. */
export interface Outcome {
  readonly file: string
  readonly model: string
  readonly top: number | undefined
  readonly value?: unknown
  readonly outputs?: OtherOutputs
  readonly error?: { readonly code: string; readonly message: string }
}

export function writeTable({ file, model, top, value, error }: Outcome): void {
  if (error !== undefined) {
    complain(file, error.message)
    return
  }
  const guesses = guessesIn(value)?.slice(0, top)
  if (guesses !== undefined) process.stdout.write(predictionTable(file, model, guesses))
  // The user's own pipeline may answer with any value.
  else process.stdout.write(`${printable(file)} (${model})\n  ${JSON.stringify(plainValue(value))}\n`)
}

/**
 * Writes one line per file, also for a failed one, so that line N belongs to file N. jq reads the lines as they arrive;
 * jq -s makes one array of all lines.
 */
export function writeJson({ file, model, top, value, outputs, error }: Outcome): void {
  if (error !== undefined) complain(file, error.message)
  const predictions = guessesIn(value)?.slice(0, top).map(shown)
  const answer = predictions === undefined ? { value: plainValue(value) } : { predictions }
  const result = { ...answer, ...(outputs && { outputs }) }
  process.stdout.write(`${JSON.stringify({ file, model, ...(error === undefined ? result : { error }) })}\n`)
}

/** Features come in bytes. */
function plainValue(value: unknown): unknown {
  const features = featuresIn(value)
  return features ? { shape: features.shape, values: [...features.values] } : value
}

function shown({ label, name, wnid, probability }: Guess) {
  return { label, name, ...(wnid === undefined ? {} : { wnid }), probability }
}

function complain(file: string, message: string): void {
  process.stderr.write(`${printable(file)}: ${printable(message)}\n`)
}
