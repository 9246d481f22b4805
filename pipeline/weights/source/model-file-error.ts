import { PipelineError } from '../../errors.ts'

// Longer values are cut: a name in an untrusted file may have a megabyte.
const QUOTED_CHARACTERS = 80

export function loadError(message: string, cause?: unknown): PipelineError {
  return new PipelineError('ERR_MODEL_LOAD', message, cause === undefined ? undefined : { cause })
}

export function unsupported(message: string): PipelineError {
  return new PipelineError('ERR_MODEL_UNSUPPORTED', message)
}

/** A value from a file, as short JSON on one line. */
export function quote(value: unknown): string {
  // A long text is cut before JSON.stringify, not after, to save the work.
  const short = typeof value === 'string' ? value.slice(0, QUOTED_CHARACTERS + 1) : value
  const text = JSON.stringify(short) ?? String(short)
  return text.length > QUOTED_CHARACTERS ? `${text.slice(0, QUOTED_CHARACTERS)}…` : text
}

/** The first few of many names. */
export function listNames(names: readonly string[]): string {
  const shown = names.slice(0, 3).map(quote).join(', ')
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown
}
