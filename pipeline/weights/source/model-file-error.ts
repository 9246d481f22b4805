import { PipelineError } from '../../errors.ts'

// A name out of a file is quoted this far and no further: the file may say a megabyte.
const QUOTED_CHARACTERS = 80

export function loadError(message: string, cause?: unknown): PipelineError {
  return new PipelineError('ERR_MODEL_LOAD', message, cause === undefined ? undefined : { cause })
}

export function unsupported(message: string): PipelineError {
  return new PipelineError('ERR_MODEL_UNSUPPORTED', message)
}

/** A value out of a file, short and on one line, whatever is in it. */
export function quote(value: unknown): string {
  // Even the pieces of a long text are only made when they are shown.
  const short = typeof value === 'string' ? value.slice(0, QUOTED_CHARACTERS + 1) : value
  const text = JSON.stringify(short) ?? String(short)
  return text.length > QUOTED_CHARACTERS ? `${text.slice(0, QUOTED_CHARACTERS)}…` : text
}

/** The first few of many names. */
export function listNames(names: readonly string[]): string {
  const shown = names.slice(0, 3).map(quote).join(', ')
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown
}
