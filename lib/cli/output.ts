import { csvLine, textCell } from '../feedback/csv-line.ts'
import { featuresIn } from '../models/features.ts'
import type { Guess } from '../models/guess.ts'
import type { Outcome } from './outcome.ts'
import { predictionTable, printable } from './prediction-table.ts'

/** Writes the outcomes in one format. */
export interface Output {
  begin(): string
  one(outcome: Outcome): string
  end(): string
}

const nothing = () => ''

/** For people: a table with bars for each picture. */
const table: Output = {
  begin: nothing,
  end: nothing,
  one({ file, model, guesses, value, error }) {
    if (error !== undefined) return ''
    if (guesses !== undefined) return predictionTable(file, model, guesses)
    const features = featuresIn(value)
    // The user's own pipeline may answer with any value.
    const text =
      features === undefined ? JSON.stringify(value) : `features of the shape ${features.shape.join(' × ')}`
    return `${printable(file)} (${model})\n  ${text}\n`
  },
}

/** A line of JSON for each picture, also for a failed one, so that line N belongs to picture N. */
const ndjson: Output = {
  begin: nothing,
  end: nothing,
  one: (outcome) => `${JSON.stringify(asJson(outcome))}\n`,
}

/** One array with an entry for each picture, written as the outcomes come. */
function json(): Output {
  let separator = '\n'
  return {
    begin: () => '[',
    one(outcome) {
      const text = `${separator}${JSON.stringify(asJson(outcome))}`
      separator = ',\n'
      return text
    },
    end: () => '\n]\n',
  }
}

const CSV_COLUMNS = ['file', 'model', 'rank', 'label', 'name', 'wnid', 'probability', 'error']

/** A record for each guess, and one for each picture that failed. Spreadsheets take no text for a formula. */
const csv: Output = {
  begin: () => csvLine(CSV_COLUMNS),
  end: nothing,
  one({ file, model, guesses, value, error }) {
    const record = (...cells: string[]) => csvLine([file, model, ...cells].map(textCell))
    if (error !== undefined) return record('', '', '', '', '', error.message)
    if (guesses === undefined) return record('', JSON.stringify(value), '', '', '', '')
    return guesses
      .map(({ label, name, wnid = '', probability }, at) =>
        csvLine([
          ...[file, model].map(textCell),
          String(at + 1),
          ...[label, name, wnid].map(textCell),
          String(probability),
          '',
        ]),
      )
      .join('')
  },
}

export function outputIn(format: 'table' | 'json' | 'ndjson' | 'csv'): Output {
  return { table, json: json(), ndjson, csv }[format]
}

function asJson({ file, model, guesses, value, outputs, error }: Outcome): object {
  if (error !== undefined) return { file, model, error }
  const more = outputs === undefined ? {} : { outputs }
  if (guesses !== undefined) return { file, model, predictions: guesses.map(shown), ...more }
  const features = featuresIn(value)
  // Features are bytes or typed numbers, which JSON would write as an object.
  return {
    file,
    model,
    value: features ? { shape: features.shape, values: [...features.values] } : value,
    ...more,
  }
}

function shown({ label, name, wnid, probability }: Guess) {
  return { label, name, ...(wnid === undefined ? {} : { wnid }), probability }
}
